/// `HOST:PORT`, taken apart: `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`, `:8080` and `*:8080` (every IPv4 address).
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// A name or a numeric address without brackets; nil: every IPv4 address.
  package var host: String?
  /// 0: the system chooses a free one.
  package var port: UInt16

  package init(host: String?, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Fails with `.invalidAddress`; the name is not looked up here.
  package init(_ text: String) throws(ListenError) {
    func refuse(_ reason: String) -> ListenError { .invalidAddress(text, reason: reason) }
    guard let colon = text.lastIndex(of: ":") else { throw refuse("there is no port") }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
      let port = UInt16(digits)
    else { throw refuse("'\(digits)' is no port from 0 to 65535") }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw refuse("an IPv6 address needs brackets")
    } else if host.contains(where: { "[]".contains($0) }) {
      throw refuse("the brackets do not match")
    }
    self.init(host: host.isEmpty || host == "*" ? nil : String(host), port: port)
  }

  package var description: String {
    guard let host else { return "0.0.0.0:\(port)" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
