import CTreeRing
import Glibc

/// Mangled names as people write them. The demangler is the language runtime's; names that are none of Swift's stay as they are.
package enum SymbolName {
  /// `Shop.Cart.add(_: Shop.Item) -> ()` for `$s4Shop…`. Allocates.
  package static func demangled(_ name: String) -> String {
    guard name.hasPrefix("$s") || name.hasPrefix("$S") || name.hasPrefix("_T") else { return name }
    var name = name
    let text = name.withUTF8 { bytes -> UnsafeMutablePointer<CChar>? in
      guard let start = bytes.baseAddress else { return nil }
      return unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        unsafe tr_demangle($0, bytes.count)
      }
    }
    guard let text = unsafe text else { return name }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// `Shop.Cart.debug` for a variable's symbol: without its type, and without what makes a private name unique.
  static func variable(_ name: String) -> String {
    var text = demangled(name)[...]
    if text.hasPrefix("static ") { text = text.dropFirst(7) }
    if let type = text.firstRange(of: " : ") { text = text[..<type.lowerBound] }
    guard let opening = text.firstRange(of: "("), let space = text.firstRange(of: " in _"),
      let closing = text.lastIndex(of: ")")
    else { return String(text) }
    return String(
      text[..<opening.lowerBound] + text[opening.upperBound..<space.lowerBound] + text[text.index(after: closing)...])
  }

  /// A function's symbol, without what the optimiser has made of it and what makes private names unique; what is longer than a line is cut.
  static func function(_ name: String) -> String {
    var text = demangled(name)
    if text.contains("specialization <"), let end = text.ranges(of: "> of ").last {
      text = String(text[end.upperBound...])
    }
    while let middle = text.firstRange(of: " in _"), let opening = text[..<middle.lowerBound].lastIndex(of: "("),
      let closing = text[middle.upperBound...].firstIndex(of: ")")
    {
      text = String(
        text[..<opening] + text[text.index(after: opening)..<middle.lowerBound] + text[text.index(after: closing)...])
    }
    return text.count > longest ? text.prefix(longest) + "…" : text
  }

  private static let longest = 160
}
