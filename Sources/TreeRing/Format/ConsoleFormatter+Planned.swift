/// The line of a usual record: its call site is known, its label and flags are nothing special, and its values are what the site expects and not nested. Such a line
/// is its site's ``LinePlan`` with the values between, written through an ``OutputCursor``. What is not so is left to the general way, which spells any record, and which every
/// value comes back to that needs more than a copy or a few digits. That both spell alike is what `PlannedLineTests` is for.
///
/// Premise: `OutputCursor.swift`'s; ``LinePlan/room(_:label:)`` is enough for what is written before the next look at the room.
extension ConsoleFormatter {
  /// False, and nothing appended, when the record is not usual.
  @inline(__always)
  func appendPlanned(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) -> Bool {
    guard let plan = unsafe record.facts?.pointee.text, let label = unsafe context.plainLabel, unsafe record.isUsual
    else { return false }
    let start = output.count
    let room = unsafe plan.room(record, label: label.count)
    var line = unsafe output.cursor(room)
    unsafe begin(record, context.time, label, to: &line)
    guard let hasFields = unsafe values(of: record, plan, room, &line, output) else {
      output.truncate(to: start)
      return false
    }
    if hasFields {
      unsafe output.end(line)
      unsafe fields(of: record, to: output)
      output.append("\n")
    } else {
      unsafe line.append("\n")
      unsafe output.end(line)
    }
    return true
  }

  @inline(__always)
  private func begin(
    _ record: RecordView, _ time: UInt64, _ label: UnsafeRawBufferPointer, to line: inout OutputCursor
  ) {
    if colours { unsafe line.append(Self.faint) }
    let fraction = unsafe timestamp.appendSecond(of: time, to: &line)
    unsafe line.append(fraction / 1_000_000, width: 3)
    unsafe lead.append(record.level, to: &line)
    unsafe line.exactly(label)
    unsafe line.append("  ")
  }

  /// Appends the text. Returns whether there are fields outside of it; nil when the values are not those that the site expects.
  @inline(__always)
  private func values(
    of record: RecordView, _ plan: LinePlan, _ room: Int, _ line: inout OutputCursor, _ output: OutputBuffer
  ) -> Bool? {
    var values = unsafe record.values
    var step = unsafe plan.steps
    let last = unsafe step + plan.values
    var hasFields = false
    while unsafe step < last {
      unsafe line.blocks(step.pointee.text, Int(step.pointee.textCount))
      // The record ends before its site does: what comes then is not in the line.
      if unsafe values.isAtEnd { return hasFields }
      guard let value = unsafe values.next() else { return nil }
      unsafe step += 1
      if unsafe value.isFieldOnly {
        hasFields = true
      } else {
        unsafe append(value, room, &line, output)
      }
    }
    unsafe line.blocks(last.pointee.text, Int(last.pointee.textCount))
    return unsafe values.isAtEnd ? hasFields : nil
  }

  @inline(__always)
  private func append(_ value: PlannedValue, _ room: Int, _ line: inout OutputCursor, _ output: OutputBuffer) {
    let isDone =
      unsafe value.tag == SegmentTag.string
      ? line.plain(value.start, value.count, for: .text) : line.append(value)
    if !isDone { unsafe line = general(value, room, line, output) }
  }

  @inline(never)
  private func general(
    _ value: PlannedValue, _ room: Int, _ line: OutputCursor, _ output: OutputBuffer
  ) -> OutputCursor {
    unsafe output.end(line)
    unsafe ValueText.append(value.segment, to: output) { unsafe escape($1, to: $0) }
    return unsafe output.cursor(room)
  }
}
