import TestSupport
import Testing

@testable import TreeRing

/// Numbers as formatters spell them, against the standard library's own spelling.
@Suite struct DecimalTests {
  private func text(_ write: (OutputBuffer) -> Void) -> String {
    let output = OutputBuffer(capacity: 1)
    write(output)
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  @Test(arguments: [0, -0.0, 0.001, 0.000_999, 0.1, 5, -1234.5, 999_999_999.5, 1e9, 1e15, 0.1 + 0.2, .pi, 1e-300])
  func doublesAreSpelledAsTheLibraryDoes(number: Double) { #expect(text { $0.append(number) } == number.description) }

  /// Decimals of up to 15 digits, their neighbours, which have 17, and any bits at all.
  @Test func randomDoublesAreSpelledAsTheLibraryDoes() {
    var generator = SeededGenerator("doubles")
    for _ in 0..<20_000 {
      let scales: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
      let scale = scales.randomElement(using: &generator) ?? 1
      let short = Double(Int64.random(in: -2_000_000_000...2_000_000_000, using: &generator)) / scale
      let long = Double(Int64.random(in: 0...999_999_999_999_999, using: &generator)) / scale
      let any = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &generator))
      for number in [short, short.nextUp, short.nextDown, long, long.nextUp, any] {
        let spelled = text { $0.append(number) }
        #expect(spelled == number.description, "seed \(generator.seed)")
      }
    }
  }

  @Test func integersAreSpelledAsTheLibraryDoes() {
    var power: UInt64 = 1
    for _ in 0..<19 {
      power *= 10
      for number in [power - 1, power, power + 1] { #expect(text { $0.append(number) } == "\(number)") }
    }
    for number in [UInt64.min, 9, UInt64.max] { #expect(text { $0.append(number) } == "\(number)") }
    for number in [Int64.min, -1, 0, Int64.max] { #expect(text { $0.append(number) } == "\(number)") }
  }

  /// Each byte, at each place of a word and behind it: the step of eight bytes must see what the step of one does.
  @Test func everyByteIsEscapedWhereverItStands() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<19 {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 19)
        bytes[place] = byte
        let json = text { output in unsafe bytes.withUnsafeBufferPointer { unsafe output.appendJSONEscaped($0) } }
        let plain = text { output in unsafe bytes.withUnsafeBufferPointer { unsafe output.appendTextEscaped($0) } }
        let isPlainText = (0x20..<0x7F).contains(byte)
        let isPlainJSON = isPlainText && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        #expect((plain == String(decoding: bytes, as: UTF8.self)) == isPlainText || byte >= 0x80)
        #expect((json == String(decoding: bytes, as: UTF8.self)) == isPlainJSON || byte >= 0x80)
        #expect(json.hasPrefix(String(repeating: "a", count: place)))
        #expect(json.hasSuffix(String(repeating: "a", count: 18 - place)))
      }
    }
  }
}
