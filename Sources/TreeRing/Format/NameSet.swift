/// The names that a record's object, and each group in it, has used, as ranges of the output: two names that differ only in bytes which are no characters come out as the same.
/// Few, so a list is quickest; a record of somebody hostile may hold thousands, so it is bounded.
///
/// Premise of every unsafe line: `count <= most`, and a range that is remembered lies within the output while its record is being written.
@safe
final class NameSet {
  private let used = UnsafeMutablePointer<Range<Int>>.allocate(capacity: most)
  private var count = 0
  /// Where the names of the innermost open group begin, and those of the groups around it.
  private var scope = 0
  private let outer = UnsafeMutablePointer<Int>.allocate(capacity: RecordLayout.deepestNesting)
  private var depth = 0
  private var isPIDAllowed = false
  private let reserved: Reserved
  private static let most = 1024
  private static let mostUnderscores = 16

  /// Names that a format gives to its own parts.
  enum Reserved {
    /// The contract's record: JSON and logfmt.
    case record
    /// bunyan's core fields.
    case bunyan
    /// Variables of a journal entry that say where it comes from.
    case journal
  }

  init(reserving reserved: Reserved) { self.reserved = reserved }

  deinit {
    unsafe used.deallocate()
    unsafe outer.deallocate()
  }

  /// - Parameter isPIDAllowed: the record carries a `pid` of its own.
  func removeAll(allowingPID isPIDAllowed: Bool) {
    self.isPIDAllowed = isPIDAllowed
    (count, scope, depth) = (0, 0, 0)
  }

  /// Names that follow are a group's, until `leave`. The caller nests no deeper than `deepestNesting`.
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

  @inline(__always)
  private func isReserved(_ name: UnsafeRawBufferPointer) -> Bool {
    switch reserved {
    case .record: unsafe Self.isReservedInRecord(name, isPIDAllowed)
    case .bunyan: unsafe Self.isReservedInBunyan(name, isPIDAllowed)
    case .journal: unsafe Self.isReservedInJournal(name)
    }
  }

  /// Whether a JSON format, of whatever record, has the name already.
  static func isReservedAnywhere(_ name: UnsafeRawBufferPointer) -> Bool {
    unsafe isReservedInRecord(name, false) || isReservedInBunyan(name, false)
  }

  private static func isReservedInRecord(_ name: UnsafeRawBufferPointer, _ isPIDAllowed: Bool) -> Bool {
    switch name.count {
    case 2: unsafe equal(name, "ns")
    case 3: unsafe equal(name, "msg") || equal(name, "seq") || !isPIDAllowed && equal(name, "pid")
    case 4: unsafe equal(name, "time") || equal(name, "ring")
    case 5: unsafe equal(name, "level")
    case 6: unsafe equal(name, "logger")
    case 18: unsafe equal(name, "treering.truncated") || equal(name, "treering.recovered")
    default: false
    }
  }

  /// `src` is reserved, too: the `bunyan` command reads it as a place in the source.
  private static func isReservedInBunyan(_ name: UnsafeRawBufferPointer, _ isPIDAllowed: Bool) -> Bool {
    switch name.count {
    case 1: unsafe equal(name, "v")
    case 3:
      unsafe equal(name, "msg") || equal(name, "seq") || equal(name, "src")
        || !isPIDAllowed && equal(name, "pid")
    case 4: unsafe equal(name, "time") || equal(name, "ring") || equal(name, "name")
    case 5: unsafe equal(name, "level")
    case 8: unsafe equal(name, "hostname")
    case 18: unsafe equal(name, "treering.truncated") || equal(name, "treering.recovered")
    default: false
    }
  }

  private static func isReservedInJournal(_ name: UnsafeRawBufferPointer) -> Bool {
    switch name.count {
    case 2: unsafe equal(name, "NS")
    case 6: unsafe equal(name, "LOGGER")
    case 7: unsafe equal(name, "MESSAGE")
    case 8: unsafe equal(name, "PRIORITY")
    case 12: unsafe equal(name, "TREERING_SEQ")
    case 10: unsafe equal(name, "SYSLOG_PID")
    case 13: unsafe equal(name, "TREERING_RING") || equal(name, "TREERING_TIME")
    case 15: unsafe equal(name, "SYSLOG_FACILITY")
    case 17: unsafe equal(name, "SYSLOG_IDENTIFIER")
    case 18: unsafe equal(name, "TREERING_TRUNCATED") || equal(name, "TREERING_RECOVERED")
    default: false
    }
  }

  @inline(__always)
  private static func equal(_ name: UnsafeRawBufferPointer, _ reserved: StaticString) -> Bool {
    unsafe reserved.utf8CodeUnitCount == name.count && reserved.utf8Start.matches(name)
  }
}
