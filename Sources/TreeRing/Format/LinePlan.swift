/// What the lines of one call site's records have in common, spelled once for one format: the literals with their escapes, and the names of the members.
///
/// A line is then its steps in order: a literal, and the value behind it.
///
/// Premise of every unsafe line: the memory is that of the ``LinePlans`` it came from, which lives as long as the template, and every piece has
/// ``OutputCursor/slack`` bytes behind it.
@unsafe
struct LinePlan {
  /// A literal and the value behind it; of the last step there is only the literal.
  @unsafe
  struct Step {
    let text: UnsafePointer<UInt8>
    /// The name as a member begins, `,"order.id":`; empty for a value that is no field.
    let name: UnsafePointer<UInt8>
    let textCount: Int32
    let nameCount: Int32
  }

  let steps: UnsafePointer<Step>
  /// How many there are before the last.
  let values: Int
  /// Bytes of all literals and names.
  let bytes: Int

  /// Bytes of a value that is no text, with its unit, or of what stands around a text.
  private static let longestValue = 32
  /// Bytes of what all lines have: time, level, ring, number and their names.
  private static let head = 256

  /// Bytes that a line has at most, each value once, when its texts need no escape: the record says how long those are.
  @inline(__always)
  func room(_ record: RecordView, label: Int) -> Int {
    unsafe Self.head &+ label &+ bytes &+ record.count &+ values &* Self.longestValue
  }
}

/// A call site's plans, made with its template. A format for which there is none takes the general way, as does a template that is too long.
@safe
struct LinePlans {
  let text: Plan?
  let json: Plan?

  /// Bytes of the pieces: a site table that somebody else wrote may hold thousands of templates.
  private static let longest = 2048

  /// - Parameter areNamesFree: the names may stand in any JSON record as they are.
  init(_ pieces: UnsafeBufferPointer<RecordTemplate.Piece>, areNamesFree: Bool) {
    let length = unsafe pieces.reduce(0) { unsafe $0 + $1.count }
    let isShort = length <= Self.longest
    // Where a line feed stands in a literal, the text has several lines.
    let isOneLine = unsafe !pieces.contains { unsafe !$0.isKey && $0.text.contains(UInt8(ascii: "\n")) }
    text = unsafe isShort && isOneLine ? Plan(pieces, literal: { unsafe $0.appendTextEscaped($1) }) : nil
    json = unsafe isShort && areNamesFree ? Plan(pieces, literal: { unsafe $0.appendJSONEscaped($1) }) : nil
  }

  /// One plan, and its memory.
  @safe
  final class Plan {
    let plan: LinePlan
    private let memory = OutputBuffer(capacity: 256)
    private let steps: UnsafeMutablePointer<LinePlan.Step>

    fileprivate init(_ pieces: UnsafeBufferPointer<RecordTemplate.Piece>, literal: MessageText.Append) {
      let ends = unsafe Self.spell(pieces, to: memory, literal)
      _ = unsafe memory.reserve(OutputCursor.slack)
      unsafe steps = .allocate(capacity: ends.count)
      let start = unsafe UnsafePointer(memory.reserve(0) - memory.count)
      var begin = 0
      for (index, end) in ends.enumerated() {
        unsafe (steps + index).initialize(
          to: LinePlan.Step(
            text: start + begin, name: start + end.text, textCount: Int32(end.text - begin),
            nameCount: Int32(end.name - end.text)))
        begin = end.name
      }
      unsafe plan = LinePlan(steps: UnsafePointer(steps), values: ends.count - 1, bytes: begin)
    }

    deinit { unsafe steps.deallocate() }

    /// Spells each step's literal and name. Returns where they end.
    private static func spell(
      _ pieces: UnsafeBufferPointer<RecordTemplate.Piece>, to output: OutputBuffer, _ literal: MessageText.Append
    ) -> [(text: Int, name: Int)] {
      var ends: [(text: Int, name: Int)] = []
      for index in pieces.indices {
        guard unsafe pieces[index].isKey else {
          unsafe literal(output, pieces[index].text)
          continue
        }
        let text = output.count
        unsafe append(name: pieces[index].text, to: output)
        ends.append((text, output.count))
      }
      ends.append((output.count, output.count))
      return ends
    }

    private static func append(name: UnsafeBufferPointer<UInt8>, to output: OutputBuffer) {
      guard name.count > 0 else { return }
      output.append(",\"")
      unsafe output.append(name)
      output.append("\":")
    }
  }
}
