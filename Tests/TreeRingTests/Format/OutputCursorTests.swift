import TestSupport
import Testing

@testable import TreeRing

/// What is written through a cursor, against what the standard library and the general escapes make of the same.
@Suite struct OutputCursorTests {
  /// Writes through a cursor with room for `room` bytes; nil when `write` says false, which must leave the cursor where it was.
  private func text(_ room: Int = 64, _ write: (inout Pen) -> Bool) -> String? {
    let output = OutputBuffer(capacity: 1)
    output.append("before")
    var pen = unsafe Pen(cursor: output.cursor(room))
    let isWritten = write(&pen)
    unsafe output.end(pen.cursor)
    let text = unsafe String(decoding: output.bytes, as: UTF8.self)
    #expect(text.hasPrefix("before") && (isWritten || text == "before"))
    return isWritten ? String(text.dropFirst(6)) : nil
  }

  private func spelled(_ write: (inout Pen) -> Void) -> String? {
    text {
      write(&$0)
      return true
    }
  }

  @Test func numbersAreSpelledAsTheLibraryDoes() {
    var generator = SeededGenerator("numbers through a cursor")
    var numbers: [UInt64] = [0, .max]
    var power: UInt64 = 1
    for _ in 0..<19 {
      power *= 10
      numbers += [power - 1, power, power + 1]
    }
    numbers += (0..<20_000).map { _ in generator.next() >> (generator.next() % 64) }
    for number in numbers {
      let signed = Int64(bitPattern: number)
      #expect(spelled { $0.append(number) } == "\(number)", "seed \(generator.seed)")
      #expect(spelled { $0.append(signed) } == "\(signed)", "seed \(generator.seed)")
      #expect(spelled { $0.append(-(signed >> 1)) } == "\(-(signed >> 1))", "seed \(generator.seed)")
      let nanoseconds = number % 1_000_000_000
      let padded = String("000000000\(nanoseconds)".suffix(9))
      #expect(spelled { $0.nanoseconds(nanoseconds) } == padded, "seed \(generator.seed)")
      for width in 1...8 {
        let part = nanoseconds % 100_000_000
        #expect(spelled { $0.append(part, width: width) } == String("00000000\(part)".suffix(width)))
      }
    }
    for number in [Int64.min, .max] { #expect(spelled { $0.append(number) } == "\(number)") }
  }

  /// A double that takes the long way is not begun.
  @Test func doublesAreSpelledAsTheLibraryDoesOrNotAtAll() {
    var generator = SeededGenerator("doubles through a cursor")
    let scales: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    var short = 0
    for _ in 0..<20_000 {
      let scale = scales.randomElement(using: &generator) ?? 1
      let decimal = Double(Int64.random(in: -2_000_000_000...2_000_000_000, using: &generator)) / scale
      let long = Double(Int64.random(in: 0...999_999_999_999_999, using: &generator)) / scale
      for number in [decimal, decimal.nextUp, long, long.nextDown, Double(bitPattern: generator.next())] {
        guard let spelled = text(64, { $0.append(number) }) else { continue }
        short += 1
        #expect(spelled == number.description, "seed \(generator.seed)")
      }
    }
    #expect(short > 10_000)
    for number: Double in [0, -0.0, .nan, .infinity, 1e300, 0.000_1] { #expect(text { $0.append(number) } == nil) }
    #expect(text { $0.append(-999_999_999.5) } == "-999999999.5")
  }

  /// Each byte at each place of texts of each length: what is copied needs no escape, and everything that needs none is copied.
  @Test func everyByteIsSeenWhereverItStands() {
    for count in 0...40 {
      for place in 0..<max(count, 1) {
        for byte in UInt8.min...UInt8.max {
          var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: count)
          if count > 0 { bytes[place] = byte }
          let isText = count == 0 || Escape.plainInText(byte)
          let isJSON = count == 0 || Escape.plainInJSON(byte)
          let expected = String(decoding: bytes, as: UTF8.self)
          if copied(bytes, .text) != (isText ? expected : nil) || copied(bytes, .json) != (isJSON ? expected : nil) {
            Issue.record("byte \(byte) at \(place) of \(count)")
          }
        }
      }
    }
  }

  private func copied(_ bytes: [UInt8], _ look: PlainText) -> String? {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      text(bytes.count) { unsafe $0.plain(bytes, for: look) }
    }
  }
}

/// A cursor that has room enough.
@safe
private struct Pen {
  var cursor: OutputCursor

  mutating func append(_ number: UInt64) { unsafe cursor.append(number) }
  mutating func append(_ number: Int64) { unsafe cursor.append(number) }
  mutating func append(_ number: UInt64, width: Int) { unsafe cursor.append(number, width: width) }
  mutating func append(_ number: Double) -> Bool { unsafe cursor.append(number) }
  mutating func nanoseconds(_ fraction: UInt64) { unsafe cursor.nanoseconds(fraction) }

  mutating func plain(_ bytes: UnsafeBufferPointer<UInt8>, for look: PlainText) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    return unsafe cursor.plain(start, bytes.count, for: look)
  }
}
