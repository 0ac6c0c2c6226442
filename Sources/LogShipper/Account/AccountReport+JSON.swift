extension AccountReport {
  /// The report as one JSON object, on one line: the six numbers, what stands beside them, the problems, and every process.
  var json: String {
    var writer = JSONLineWriter()
    writer.object { writer in
      for (name, number) in verdict.totals.named { writer.member(name, number) }
      writer.member("malformed", verdict.malformed)
      writer.member("contradictions", verdict.contradictions)
      writer.member("foreign", verdict.foreign)
      writer.member("filtered", verdict.filtered)
      writer.member("lines", verdict.lines)
      writer.member("files", UInt64(files.count))
      writer.member("complete", verdict.isComplete(live: live))
      writer.array("problems", problems) { writer, problem in
        writer.member("kind", problem.kind.rawValue)
        writer.member("text", problem.text)
        writer.member("next", problem.next)
      }
      writer.array("processes", verdict.processes) { writer, process in self.write(process, to: &writer) }
    }
    return writer.text
  }

  private func write(_ process: ProcessVerdict, to writer: inout JSONLineWriter) {
    writer.member("stream", "\(process.stream)")
    if let pid = process.pid { writer.member("pid", pid) }
    writer.member("rings", UInt64(process.rings.count))
    if let rings = process.closedRings { writer.member("closed_rings", rings) }
    for (name, number) in process.totals.named { writer.member(name, number) }
  }
}

/// Writes JSON on one line. Names are the report's own and need no escapes; values do.
private struct JSONLineWriter {
  private(set) var text = ""
  private var isFirst = true

  mutating func object(_ body: (inout JSONLineWriter) -> Void) {
    text += "{"
    isFirst = true
    body(&self)
    text += "}"
    isFirst = false
  }

  mutating func array<Element>(
    _ name: String, _ elements: [Element], _ body: (inout JSONLineWriter, Element) -> Void
  ) {
    begin(name)
    text += "["
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      object { body(&$0, element) }
    }
    text += "]"
    isFirst = false
  }

  mutating func member(_ name: String, _ number: UInt64) {
    begin(name)
    text += "\(number)"
  }

  mutating func member(_ name: String, _ value: Bool) {
    begin(name)
    text += value ? "true" : "false"
  }

  mutating func member(_ name: String, _ value: String) {
    begin(name)
    text += "\""
    for scalar in value.unicodeScalars { append(scalar) }
    text += "\""
  }

  private mutating func begin(_ name: String) {
    text += isFirst ? "\"\(name)\":" : ",\"\(name)\":"
    isFirst = false
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"", "\\": text += "\\\(scalar)"
    case "\u{0}"..."\u{1F}":
      let digits = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: text.unicodeScalars.append(scalar)
    }
  }
}
