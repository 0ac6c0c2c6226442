import Synchronization

/// The names of ``RedactedKeys`` in the form that the slow side of a log call reads: memory that is never changed and never freed, so that a signal handler may
/// read it, and a list that is replaced loses no reader.
@safe
final class RedactionTable: @unchecked Sendable {  // constants after `init`
  /// The names one after the other, each from its last byte to its first.
  private let bytes: UnsafeMutablePointer<UInt8>
  /// Where each begins, and where the last one ends.
  private let starts: UnsafeMutablePointer<Int>
  private let count: Int
  /// A bit for the last three letters of each name; all bits when one of them has fewer.
  private let filter: InlineArray<16, UInt64>
  /// Whether one of the names has fewer than three letters.
  private let hasShortName: Bool

  init(_ keys: RedactedKeys) {
    let names = keys.names.map { Array($0.utf8.reversed()) }
    count = names.count
    unsafe bytes = .allocate(capacity: max(names.reduce(0) { $0 + $1.count }, 1))
    unsafe starts = .allocate(capacity: names.count + 1)
    hasShortName = names.contains { $0.count < 3 }
    var filter = InlineArray<16, UInt64>(repeating: hasShortName ? .max : 0)
    for name in names where name.count >= 3 {
      let tail = UInt32(name[0]) << 16 | UInt32(name[1]) << 8 | UInt32(name[2])
      filter[Self.word(tail)] |= 1 << Self.bit(tail)
    }
    self.filter = filter
    var end = 0
    for (index, name) in names.enumerated() {
      unsafe starts[index] = end
      for byte in name {
        unsafe bytes[end] = byte
        end += 1
      }
    }
    unsafe starts[names.count] = end
  }

  /// Whether the values of fields with this name are hidden. No allocation, no lock; for nearly every harmless name a look at its last three letters.
  @inline(__always)
  func hides(_ name: UnsafeBufferPointer<UInt8>) -> Bool { unsafe mayHide(name) && isListed(name) }

  @inline(never)
  private func isListed(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    let ending = unsafe KeyEnding(name)
    for index in 0..<count {
      let (start, end) = unsafe (starts[index], starts[index + 1])
      if unsafe ending.begins(with: UnsafeBufferPointer(start: bytes + start, count: end - start)) { return true }
    }
    return false
  }

  // MARK: the first look

  /// False when no listed name ends with the same three letters. Nearly every name ends with three plain letters, or with a component of fewer.
  @inline(__always)
  private func mayHide(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard name.count >= 3 else { return unsafe mayHideOddly(name) }
    let end = name.count - 1
    let (last, middle, first) = unsafe (name[end], name[end - 1], name[end - 2])
    guard Self.isLetter(last | 0x20), Self.isLetter(middle | 0x20), Self.isLetter(first | 0x20) else {
      let dot = UInt8(ascii: ".")
      return unsafe last == dot || middle == dot || first == dot ? hasShortName : mayHideOddly(name)
    }
    return mayHide((UInt32(last) << 16 | UInt32(middle) << 8 | UInt32(first)) | 0x20_2020)
  }

  /// Of a byte that has been made lower case.
  @inline(__always)
  private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

  @inline(__always)
  private func mayHide(_ tail: UInt32) -> Bool { filter[Self.word(tail)] >> Self.bit(tail) & 1 != 0 }

  /// The same for a name that ends with something else: letter by letter.
  @inline(never)
  private func mayHideOddly(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    var tail: UInt32 = 0
    var letters = 0
    var index = name.count
    while index > 0, letters < 3 {
      index -= 1
      guard let letter = unsafe KeyEnding.letter(name[index]) else { break }
      if letter == 0 { continue }
      tail = tail << 8 | UInt32(letter)
      letters += 1
    }
    return letters == 3 ? mayHide(tail) : hasShortName
  }

  /// Which of 1,024 bits stands for three letters: with so many, one harmless name in fifty is looked at twice.
  private static func hash(_ tail: UInt32) -> Int { Int((tail &* 0x9E37_79B1) >> 22) }
  private static func word(_ tail: UInt32) -> Int { hash(tail) >> 6 }
  private static func bit(_ tail: UInt32) -> UInt64 { UInt64(hash(tail) & 63) }

  private static let standard = RedactionTable(.standard)
  private static let address = Atomic<UInt>(0)
  private static let changes = Atomic<UInt64>(0)

  /// Which list is in force: another number with each list that differs from the one before. Who keeps what was hidden under a list keeps its number with it.
  static var number: UInt64 { changes.load(ordering: .acquiring) }

  /// Whether the list in force, which is the standard one until logging starts with another, hides the values of fields with this name. It is kept for ever, so nobody
  /// has to hold on to it: a call counts no references.
  @inline(__always)
  static func hides(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else {
      return unsafe standardHides(name)
    }
    return unsafe Unmanaged<RedactionTable>.fromOpaque(pointer)._withUnsafeGuaranteedRef { unsafe $0.hides(name) }
  }

  @inline(never)
  private static func standardHides(_ name: UnsafeBufferPointer<UInt8>) -> Bool { unsafe standard.hides(name) }

  private static let installed = Mutex(RedactedKeys.standard)

  /// Puts a list in force, for every call that begins after it. Logging starts with one, so that no signal handler has to make the standard one. What was learnt of call sites under another list is forgotten: they may be known by a name that
  /// hides its value now.
  static func install(_ keys: RedactedKeys) {
    let isOther = installed.withLock { installed in
      defer { installed = keys }
      return installed != keys
    }
    guard isOther || address.load(ordering: .relaxed) == 0 else { return }
    let table = unsafe Unmanaged.passRetained(RedactionTable(keys)).toOpaque()
    address.store(UInt(bitPattern: table), ordering: .releasing)
    if isOther {
      changes.add(1, ordering: .releasing)
      SiteTable.forget()
    }
  }
}
