/// Shows records to a program: one JSON object per line.
package enum JSONView {
  /// Appends the line of an item. A record is as its sinks spell it; what is no record becomes an object with `msg` alone, unless it is one already.
  package static func append(_ item: ViewItem, to output: OutputBuffer) {
    switch item {
    case .record(let record): append(record.json, to: output)
    case .line(let line, _):
      if JSONReader.object(line) != nil { return append(line, to: output) }
      output.append("{\"msg\":")
      output.append(string: JSONText.quote(String(decoding: line, as: UTF8.self)))
      output.append("}\n")
    case .notice(let notice): append(notice, to: output)
    }
  }

  private static func append(_ line: [UInt8], to output: OutputBuffer) {
    unsafe line.withUnsafeBufferPointer { unsafe output.append($0) }
    output.append("\n")
  }

  private static func append(_ notice: ViewNotice, to output: OutputBuffer) {
    let timestamp = Timestamp()
    output.append("{\"time\":\"")
    timestamp.append(notice.time, digits: 9, to: output)
    output.append(string: "\",\"level\":\"\(notice.level.name)\",\"logger\":\"treering.tail\",\"msg\":")
    output.append(string: JSONText.quote("\(notice.subject) \(notice.text)"))
    if let pid = notice.pid { output.append(string: ",\"pid\":\(pid)") }
    output.append(string: ",\"treering.notice\":\"\(notice.word)\"")
    switch notice.kind {
    case .missed(let count), .dropped(let count), .died(let count):
      output.append(string: ",\"treering.records\":\(count)")
    default: break
    }
    output.append("}\n")
  }
}
