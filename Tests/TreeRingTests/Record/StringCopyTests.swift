import Testing

@testable import TreeRing

/// `copyString` takes a string's two words as they are. Whatever form a string has, its bytes must come out, or nothing.
struct StringCopyTests {
  /// Strings of `count` bytes in every form that the standard library makes: short ones lie in the string itself, others behind an object or in the program's data.
  static func forms(_ count: Int) -> [String] {
    let ascii = String("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".prefix(count))
    var reserved = ""
    reserved.reserveCapacity(200)
    reserved += ascii
    var shortened = ascii + String(repeating: "x", count: 50)
    shortened.removeLast(50)
    let copied = String(decoding: Array(ascii.utf8), as: UTF8.self)
    var forms = [ascii, reserved, shortened, copied, String(ascii[...])]
    // Not ASCII: pairs of bytes, and one before them where the number is odd.
    if count >= 2 { forms.append(String(repeating: "a", count: count % 2) + String(repeating: "é", count: count / 2)) }
    return forms
  }

  /// What `copyString` writes where there are `room` bytes; nil when it leaves the string to the general way.
  private func copy(_ string: String, room: Int = 64) -> [UInt8]? {
    var memory = [UInt8](repeating: 0xEE, count: 128)
    return unsafe memory.withUnsafeMutableBufferPointer { memory in
      guard let start = memory.baseAddress else { return nil }
      let end = unsafe copyString(string, to: start, limit: start + room)
      #expect(unsafe memory[room...].allSatisfy { $0 == 0xEE }, "\(string.utf8.count) bytes were written past \(room)")
      return unsafe end.map { unsafe [UInt8](memory[..<($0 - start)]) }
    }
  }

  @Test(arguments: 0...40)
  func everyFormIsCopiedWhole(count: Int) {
    for string in Self.forms(count) {
      let expected = [UInt8(count), 0] + Array(string.utf8)
      let copied = copy(string)
      if count <= 32 { #expect(copied == expected) } else { #expect(copied == nil) }
    }
    #expect(copy("a literal of 28 bytes, kept.") == [28, 0] + Array("a literal of 28 bytes, kept.".utf8))
  }

  @Test(arguments: 0...40)
  func nothingIsWrittenPastTheLimit(room: Int) {
    for count in 0...40 {
      for string in Self.forms(count) {
        if let copied = copy(string, room: room) { #expect(copied == [UInt8(count), 0] + Array(string.utf8)) }
      }
    }
  }

  @Test func aFullRecordTakesNothing() {
    var memory: [UInt8] = [1, 2, 3, 4]
    unsafe memory.withUnsafeMutableBufferPointer { memory in
      if let start = memory.baseAddress { #expect(unsafe copyString("ab", to: start, limit: nil) == nil) }
    }
    #expect(memory == [1, 2, 3, 4])
  }
}
