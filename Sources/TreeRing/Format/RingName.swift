import CTreeRing

/// The contract's `ring`: `<stream id>.<index>`. Inline, so that a record's context is copied without a count of references.
struct RingName: Sendable {
  /// 32 digits, a dot, and the largest index.
  private static let longest = 40
  private var text = InlineArray<40, UInt8>(repeating: 0)
  private var count = 0

  /// What is longer than a ring's name can be is cut.
  init(_ name: String) {
    for byte in name.utf8.prefix(Self.longest) {
      text[count] = byte
      count += 1
    }
  }

  init(stream: String, index: Int) { self.init("\(stream).\(index)") }

  /// Valid during the call.
  @inline(__always)
  func withBytes(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    unsafe text.span.withUnsafeBufferPointer { unsafe body(UnsafeBufferPointer(start: $0.baseAddress, count: count)) }
  }
}

extension RingName: ExpressibleByStringLiteral, CustomStringConvertible {
  init(stringLiteral name: String) { self.init(name) }

  var description: String {
    var description = ""
    unsafe withBytes { description = unsafe String(decoding: $0, as: UTF8.self) }
    return description
  }
}

extension OutputBuffer {
  /// Hexadecimal digits, a dot and decimal digits: no format has to escape any.
  @inline(__always)
  func append(ring name: RingName) { unsafe name.withBytes { unsafe append($0) } }
}

/// What all JSON records of a ring have between their text and their number, spelled once: `","pid":…,"ring":"…","seq":`. Inline, as the name is.
struct RingOrigin: Sendable {
  /// The members, ten digits, and a name.
  private static let longest = 80
  private var text = InlineArray<80, UInt8>(repeating: 0)
  private let count: Int

  init(pid: UInt32, ring: RingName) {
    let output = OutputBuffer(capacity: Self.longest)
    output.append("\",\"pid\":")
    output.append(UInt64(pid))
    output.append(",\"ring\":\"")
    output.append(ring: ring)
    output.append("\",\"seq\":")
    count = output.count
    for index in 0..<count { text[index] = unsafe output.bytes[index] }
  }

  @inline(__always)
  func append(to line: inout OutputCursor) {
    unsafe text.span.withUnsafeBufferPointer { text in
      guard let start = text.baseAddress else { return }
      unsafe tr_copy(line.at, start, Self.longest)
    }
    unsafe line.at += count
  }
}
