/// The contract's JSON record: one object per line.
///
/// `{"time":…,"level":…,"logger":…,"msg":…,"pid":…,"ring":…,"seq":…, fields…}`. A field whose name is taken gets a trailing `_`. Numbers that JSON
/// has not (nan, infinities) are strings; durations are seconds.
final class JSONFormatter: Formatter {
  private var timestamp = Timestamp()
  private let names = NameSet()

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: record.level, to: output)
    unsafe label(of: record, context, to: output)
    output.append(",\"msg\":\"")
    unsafe text(of: record, to: output)
    output.append("\"")
    unsafe origin(context, sequence: record.sequence, hasOwnPID: record.isAboutOther, to: output)
    let isWhole = unsafe fields(of: record, to: output)
    if unsafe record.isTruncated || !isWhole { output.append(",\"treering.truncated\":true") }
    unsafe end(context, to: output)
  }

  private func begin(time: UInt64, level: Level, to output: OutputBuffer) {
    output.append("{\"time\":\"")
    append(time, to: output)
    output.append("\",\"level\":\"")
    output.append(level.spelling)
  }

  /// Copied out and in: whole reads and writes of a property need no check for exclusive access.
  private func append(_ time: UInt64, to output: OutputBuffer) {
    var timestamp = timestamp
    timestamp.append(time, digits: 9, to: output)
    self.timestamp = timestamp
  }

  private func label(of record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    output.append(unsafe record.isChannel ? "\",\"ns\":\"" : "\",\"logger\":\"")
    if let label = unsafe context.label {
      unsafe output.appendJSONEscaped(label.assumingMemoryBound(to: UInt8.self))
    } else {
      unsafe record.withCarriedLabel { unsafe output.appendJSONEscaped($0) }
    }
    output.append("\"")
  }

  private func origin(
    _ context: RecordContext, sequence: UInt64?, hasOwnPID: Bool = false, to output: OutputBuffer
  ) {
    if !hasOwnPID {
      output.append(",\"pid\":")
      unsafe output.append(UInt64(context.pid))
    }
    output.append(",\"ring\":\"")
    unsafe output.append(context.ring)
    output.append("\"")
    if let sequence {
      output.append(",\"seq\":")
      output.append(sequence)
    }
  }

  private func text(of record: RecordView, to output: OutputBuffer) {
    unsafe MessageText.append(record, to: output) { unsafe output.appendJSONEscaped($0) }
  }

  /// False when some field was left out, because names were repeated, or there were more, than anybody can mean.
  private func fields(of record: RecordView, to output: OutputBuffer) -> Bool {
    var reader = unsafe SegmentReader(record.segments)
    var nesting = Nesting()
    var isWhole = true
    names.removeAll(allowingPID: unsafe record.isAboutOther)
    while let segment = unsafe reader.next() {
      switch unsafe segment.tag {
      case SegmentTag.literal, SegmentTag.label: continue
      case SegmentTag.end:
        _ = close(&nesting, output)
        continue
      default: break
      }
      if nesting.isEmpty, unsafe segment.key.count == 0 {
        if unsafe segment.opens { unsafe skipGroup(&reader) }
        continue
      }
      let before = output.count
      nesting.separate(output)
      if !nesting.isInArray, unsafe !key(segment.key, to: output) {
        output.truncate(to: before)
        isWhole = false
        if unsafe segment.opens { unsafe skipGroup(&reader) }
        continue
      }
      unsafe value(segment, &nesting, to: output)
    }
    while close(&nesting, output) {}
    return isWhole
  }

  private func open(isArray: Bool, _ nesting: inout Nesting, _ output: OutputBuffer) {
    output.append(isArray ? "[" : "{")
    if nesting.push(isArray: isArray, output) { names.enter() }
  }

  /// False when nothing is open.
  private func close(_ nesting: inout Nesting, _ output: OutputBuffer) -> Bool {
    guard let end = nesting.pop() else { return false }
    if end.utf8CodeUnitCount > 0 { names.leave() }
    output.append(end)
    return true
  }

  private func skipGroup(_ reader: inout SegmentReader) {
    var depth = 1
    while depth > 0, let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end { depth -= 1 } else if unsafe segment.opens { depth += 1 }
    }
  }

  /// False when no name can be found for it; then the caller takes back what was written.
  private func key(_ key: UnsafeBufferPointer<UInt8>, to output: OutputBuffer) -> Bool {
    output.append("\"")
    let start = output.count
    unsafe output.appendJSONEscaped(key)
    guard names.settle(from: start, in: output) else { return false }
    output.append("\":")
    return true
  }

  private func value(_ segment: Segment, _ nesting: inout Nesting, to output: OutputBuffer) {
    switch unsafe segment.tag {
    case SegmentTag.group:
      open(isArray: false, &nesting, output)
    case SegmentTag.array:
      open(isArray: true, &nesting, output)
    case SegmentTag.string:
      output.append("\"")
      unsafe output.appendJSONEscaped(segment.payload)
      output.append("\"")
    case SegmentTag.duration: unsafe ValueText.appendSeconds(Int64(bitPattern: segment.word), to: output)
    case SegmentTag.double:
      let number = unsafe Double(bitPattern: segment.word)
      if number.isFinite {
        output.append(number)
      } else {
        output.append("\"\(number)\"")
      }
    default: unsafe ValueText.append(segment, to: output) { unsafe output.append($0) }
    }
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: notice.level, to: output)
    output.append("\",\"logger\":\"treering\",\"msg\":\"")
    output.append(notice.message)
    output.append("\"")
    var sequence: UInt64?
    switch notice {
    case .processClosed(_, _, let number): sequence = number
    case .ringClosed(let committed, _, _): sequence = committed
    default: break
    }
    unsafe origin(context, sequence: sequence, to: output)
    numbers(of: notice, to: output)
    unsafe end(context, to: output)
  }

  private func end(_ context: RecordContext, to output: OutputBuffer) {
    if unsafe context.isRecovered { output.append(",\"treering.recovered\":true") }
    output.append("}\n")
  }

  private func numbers(of notice: StreamNotice, to output: OutputBuffer) {
    switch notice {
    case .dropped(let cause, let byLevel, let total, let first, let last):
      dropped(byLevel.reduce(0) { $0 &+ $1.1 }, total: total, cause: cause.name, to: output)
      levels(",\"treering.levels\":{", byLevel, to: output)
      times(first, last, to: output)
    case .lost(let byLevel, let count, let total):
      dropped(count, total: total, cause: "no ring", to: output)
      levels(",\"treering.levels_total\":{", byLevel, to: output)
    case .unreadable(let bytes, let sequence):
      field(",\"treering.bytes\":", bytes, to: output)
      field(",\"treering.from\":", sequence, to: output)
    case .processClosed(let rings, let lost, _):
      field(",\"treering.rings\":", UInt64(rings), to: output)
      field(",\"treering.dropped\":", lost, to: output)
    case .ringClosed(let committed, let dropped, let filtered):
      field(",\"treering.committed\":", committed, to: output)
      field(",\"treering.dropped\":", dropped, to: output)
      if filtered > 0 { field(",\"treering.filtered\":", filtered, to: output) }
    case .withheld, .untold, .sinkFailed, .sinkBack: outage(notice, to: output)
    }
  }

  /// What one sink has missed, and why.
  private func outage(_ notice: StreamNotice, to output: OutputBuffer) {
    switch notice {
    case .withheld(let withheld):
      field(",\"treering.dropped\":", withheld.count, to: output)
      field(",\"treering.from\":", withheld.sequences.lowerBound, to: output)
      field(",\"treering.to\":", withheld.sequences.upperBound, to: output)
      output.append(",\"treering.cause\":\"sink failed\"")
      if !withheld.byLevel.isEmpty { levels(",\"treering.levels\":{", withheld.byLevel, to: output) }
      if let range = withheld.times { times(range.lowerBound, range.upperBound, to: output) }
    case .untold(let count, let total): dropped(count, total: total, cause: "sink failed", to: output)
    case .sinkFailed(let sink, let error):
      string(",\"treering.sink\":\"", sink, to: output)
      string(",\"treering.error\":\"", error, to: output)
    case .sinkBack(let sink, let lost, let nanoseconds):
      string(",\"treering.sink\":\"", sink, to: output)
      field(",\"treering.lost\":", lost, to: output)
      field(",\"treering.down_ms\":", nanoseconds / 1_000_000, to: output)
    default: break
    }
  }

  private func times(_ first: UInt64, _ last: UInt64, to output: OutputBuffer) {
    output.append(",\"treering.first\":\"")
    append(first, to: output)
    output.append("\",\"treering.last\":\"")
    append(last, to: output)
    output.append("\"")
  }

  private func string(_ name: StaticString, _ text: String, to output: OutputBuffer) {
    var text = text
    output.append(name)
    text.withUTF8 { unsafe output.appendJSONEscaped($0) }
    output.append("\"")
  }

  private func dropped(_ count: UInt64, total: UInt64, cause: String, to output: OutputBuffer) {
    field(",\"treering.dropped\":", count, to: output)
    field(",\"treering.dropped_total\":", total, to: output)
    output.append(",\"treering.cause\":\"\(cause)\"")
  }

  private func levels(_ name: StaticString, _ byLevel: [(Level, UInt64)], to output: OutputBuffer) {
    output.append(name)
    for (index, (level, count)) in byLevel.enumerated() {
      output.append("\(index == 0 ? "" : ",")\"\(level.name)\":\(count)")
    }
    output.append("}")
  }

  private func field(_ name: StaticString, _ number: UInt64, to output: OutputBuffer) {
    output.append(name)
    output.append(number)
  }
}

/// Which JSON containers are open, and whether a comma is due. Values that nest deeper than a record may are closed again at once.
private struct Nesting {
  private var isArray: UInt64 = 0
  private var isFirst: UInt64 = 0
  private var depth = 0
  private var ignored = 0

  var isEmpty: Bool { depth == 0 }
  var isInArray: Bool { depth > 0 && isArray & 1 << UInt64(depth) != 0 }

  mutating func separate(_ output: OutputBuffer) {
    let bit: UInt64 = 1 << UInt64(depth)
    if depth == 0 || isFirst & bit == 0 { output.append(",") }
    isFirst &= ~bit
  }

  /// False when it is too deep.
  mutating func push(isArray array: Bool, _ output: OutputBuffer) -> Bool {
    guard depth < RecordLayout.deepestNesting else {
      // Closed at once; its members are written one level up.
      output.append(array ? "]" : "}")
      ignored += 1
      return false
    }
    depth += 1
    let bit: UInt64 = 1 << UInt64(depth)
    isArray = array ? isArray | bit : isArray & ~bit
    isFirst |= bit
    return true
  }

  mutating func pop() -> StaticString? {
    if ignored > 0 {
      ignored -= 1
      return ""
    }
    guard depth > 0 else { return nil }
    let array = isInArray
    depth -= 1
    return array ? "]" : "}"
  }
}

/// The names that a record's object, and each group in it, has used, as ranges of the output: two names that differ only in bytes which are no characters come out as the same.
/// Few, so a list is quickest; a record of somebody hostile may hold thousands, so it is bounded.
///
/// Premise of every unsafe line: `count <= most`, and a range that is remembered lies within the output while its record is being written.
@safe
private final class NameSet {
  private let used = UnsafeMutablePointer<Range<Int>>.allocate(capacity: most)
  private var count = 0
  /// Where the names of the innermost open group begin, and those of the groups around it.
  private var scope = 0
  private let outer = UnsafeMutablePointer<Int>.allocate(capacity: RecordLayout.deepestNesting)
  private var depth = 0
  private var isPIDAllowed = false
  private static let most = 1024
  private static let mostUnderscores = 16

  deinit {
    unsafe used.deallocate()
    unsafe outer.deallocate()
  }

  /// - Parameter isPIDAllowed: the record carries a `pid` of its own.
  func removeAll(allowingPID isPIDAllowed: Bool) {
    self.isPIDAllowed = isPIDAllowed
    (count, scope, depth) = (0, 0, 0)
  }

  /// Names that follow are a group's, until `leave`. At most `deepestNesting` times, which `Nesting` sees to.
  func enter() {
    unsafe (outer + depth).initialize(to: scope)
    depth += 1
    scope = count
  }

  func leave() {
    depth -= 1
    count = scope
    unsafe scope = outer[depth]
  }

  /// Makes what stands in `output` from `start` on a name that is not taken, by `_` behind it, and remembers it. False when that cannot be.
  func settle(from start: Int, in output: OutputBuffer) -> Bool {
    guard count < Self.most else { return false }
    for _ in 0...Self.mostUnderscores {
      if !isTaken(start..<output.count, in: output) {
        unsafe (used + count).initialize(to: start..<output.count)
        count += 1
        return true
      }
      output.append("_")
    }
    return false
  }

  private func isTaken(_ name: Range<Int>, in output: OutputBuffer) -> Bool {
    guard let text = unsafe output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    let candidate = unsafe UnsafeRawBufferPointer(start: text + name.lowerBound, count: name.count)
    if depth == 0, unsafe isReserved(candidate) { return true }
    for index in scope..<count where unsafe used[index].count == name.count {
      if unsafe (text + used[index].lowerBound).matches(candidate) { return true }
    }
    return false
  }

  private func isReserved(_ name: UnsafeRawBufferPointer) -> Bool {
    switch name.count {
    case 2: unsafe Self.equal(name, "ns")
    case 3: unsafe Self.equal(name, "msg") || Self.equal(name, "seq") || !isPIDAllowed && Self.equal(name, "pid")
    case 4: unsafe Self.equal(name, "time") || Self.equal(name, "ring")
    case 5: unsafe Self.equal(name, "level")
    case 6: unsafe Self.equal(name, "logger")
    case 18: unsafe Self.equal(name, "treering.truncated") || Self.equal(name, "treering.recovered")
    default: false
    }
  }

  @inline(__always)
  private static func equal(_ name: UnsafeRawBufferPointer, _ reserved: StaticString) -> Bool {
    unsafe reserved.utf8CodeUnitCount == name.count && reserved.utf8Start.matches(name)
  }
}

extension Level {
  /// The name without a string object.
  var spelling: StaticString {
    switch self {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }
}

extension Segment {
  /// Whether members follow, up to an `end`.
  var opens: Bool { unsafe tag == SegmentTag.group || tag == SegmentTag.array }
}

extension RecordView {
  /// The label that the record carries itself; empty when it carries none.
  func withCarriedLabel(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var reader = unsafe SegmentReader(segments)
    guard let first = unsafe reader.next(), unsafe first.tag == SegmentTag.label else { return }
    unsafe body(first.payload)
  }
}
