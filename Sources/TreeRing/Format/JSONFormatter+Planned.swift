/// The record of a usual call, put together as in `ConsoleFormatter+Planned.swift`: what is said there holds here.
///
/// A value stands twice, in the text and as a member, spelled the same way (but for quotes). It is spelled among the members, which wait in a buffer of their
/// own until the text has ended, and copied into the text.
extension JSONFormatter {
  /// False, and nothing appended, when the record is not usual.
  @inline(__always)
  func appendPlanned(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) -> Bool {
    guard let plan = unsafe record.facts?.pointee.json, let label = unsafe context.plainLabel, unsafe record.isUsual
    else { return false }
    let start = output.count
    let room = unsafe plan.room(record, label: label.count)
    members.removeAll()
    var places = unsafe Places(line: output.cursor(room), members: members.cursor(room))
    unsafe begin(record, context.time, label, to: &places.line)
    guard unsafe values(of: record, plan, room, &places, output) else {
      output.truncate(to: start)
      return false
    }
    unsafe context.origin.append(to: &places.line)
    unsafe places.line.append(record.sequence)
    unsafe members.end(places.members)
    unsafe output.end(places.line)
    end(output)
    return true
  }

  /// Where the text goes, and where the members do.
  @unsafe
  private struct Places {
    var line: OutputCursor
    var members: OutputCursor
  }

  @inline(__always)
  private func begin(
    _ record: RecordView, _ time: UInt64, _ label: UnsafeRawBufferPointer, to line: inout OutputCursor
  ) {
    unsafe line.append("{\"time\":\"")
    let fraction = unsafe timestamp.appendSecond(of: time, to: &line)
    unsafe line.nanoseconds(fraction)
    unsafe lead.append(record.level, to: &line)
    unsafe line.exactly(label)
    unsafe line.append("\",\"msg\":\"")
  }

  /// Appends the members. Nobody has counted those that had to be escaped, so this is another look at the room.
  @inline(__always)
  private func end(_ output: OutputBuffer) {
    var line = unsafe output.cursor(members.count &+ 2)
    if let start = unsafe members.bytes.baseAddress {
      unsafe line.blocks(start.assumingMemoryBound(to: UInt8.self), members.count)
    }
    unsafe line.append("}\n")
    unsafe output.end(line)
  }

  /// Appends the text and keeps the members. False when the values are not those that the site expects.
  @inline(__always)
  private func values(
    of record: RecordView, _ plan: LinePlan, _ room: Int, _ places: inout Places, _ output: OutputBuffer
  ) -> Bool {
    var values = unsafe record.values
    var step = unsafe plan.steps
    let last = unsafe step + plan.values
    while unsafe step < last {
      unsafe places.line.blocks(step.pointee.text, Int(step.pointee.textCount))
      // The record ends before its site does: what comes then is not in the line.
      if unsafe values.isAtEnd { return true }
      guard let value = unsafe values.next() else { return false }
      unsafe append(value, step, room, &places, output)
      unsafe step += 1
    }
    unsafe places.line.blocks(last.pointee.text, Int(last.pointee.textCount))
    return unsafe values.isAtEnd
  }

  @inline(__always)
  private func append(
    _ value: PlannedValue, _ step: UnsafePointer<LinePlan.Step>, _ room: Int, _ places: inout Places,
    _ output: OutputBuffer
  ) {
    let begin = unsafe places.members
    unsafe places.members.blocks(step.pointee.name, Int(step.pointee.nameCount))
    let isDone =
      unsafe value.tag == SegmentTag.string ? appendText(value, &places) : appendNumber(value, &places)
    if !isDone {
      unsafe places.members = begin
      unsafe places = general(value, step, room, places, output)
    } else if unsafe step.pointee.nameCount == 0 {
      unsafe places.members = begin
    }
  }

  /// False when it needs an escape.
  @inline(__always)
  private func appendText(_ value: PlannedValue, _ places: inout Places) -> Bool {
    unsafe places.members.append("\"")
    guard unsafe places.members.plain(value.start, value.count, for: .json) else { return false }
    unsafe places.members.append("\"")
    if unsafe !value.isFieldOnly { unsafe places.line.exactly(value.start, value.count) }
    return true
  }

  /// A number, or a word.
  @inline(__always)
  private func appendNumber(_ value: PlannedValue, _ places: inout Places) -> Bool {
    let start = unsafe places.members.at
    guard unsafe places.members.append(value) else { return false }
    if unsafe !value.isFieldOnly { unsafe places.line.twoBlocks(start, places.members.at - start) }
    return true
  }

  @inline(never)
  private func general(
    _ value: PlannedValue, _ step: UnsafePointer<LinePlan.Step>, _ room: Int, _ places: Places, _ output: OutputBuffer
  ) -> Places {
    unsafe output.end(places.line)
    unsafe members.end(places.members)
    if unsafe !value.isFieldOnly {
      unsafe ValueText.append(value.segment, to: output) { unsafe $0.appendJSONEscaped($1) }
    }
    if unsafe step.pointee.nameCount > 0 {
      unsafe members.append(UnsafeBufferPointer(start: step.pointee.name, count: Int(step.pointee.nameCount)))
      unsafe JSONFields.appendScalar(value.segment, to: members)
    }
    return unsafe Places(line: output.cursor(room), members: members.cursor(room))
  }
}
