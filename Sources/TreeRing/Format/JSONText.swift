/// JSON strings for programs that print a few objects themselves.
package enum JSONText {
  /// `text` as a JSON string, with its quotes.
  package static func quote(_ text: String) -> String {
    let output = OutputBuffer(capacity: text.utf8.count + 16)
    output.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { unsafe output.appendJSONEscaped($0) }
    output.append(UInt8(ascii: "\""))
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }
}
