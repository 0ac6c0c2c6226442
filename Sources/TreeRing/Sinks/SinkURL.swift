/// `scheme:path?option=value&option=value`, as `TREERING_SINK` spells a sink.
struct SinkURL {
  var scheme: String
  /// What stands between the colon and the question mark, decoded.
  var path = ""
  /// The same, parted at its blanks before it was decoded: a blank in an argument is spelled `%20`.
  var arguments: [String] = []
  /// In the order of the text.
  var options: [(name: String, value: String)] = []

  init(scheme: String, path: String = "") {
    self.scheme = scheme
    self.path = path
  }

  init(scheme: String, arguments: [String]) {
    self.scheme = scheme
    self.arguments = arguments
  }

  /// Nil when there is no scheme, or an option without a value.
  init?(parsing text: String) {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    scheme = String(text[..<colon])
    let rest = text[text.index(after: colon)...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = rest[0].percentDecoded
    arguments = rest[0].split(separator: " ").map(\.percentDecoded)
    for option in rest.count > 1 ? rest[1].split(separator: "&") : [] {
      let sides = option.split(separator: "=", maxSplits: 1)
      guard sides.count == 2 else { return nil }
      options.append((String(sides[0]), sides[1].percentDecoded))
    }
  }

  /// Takes an option out: its value, or nil when the text has none of that name. Of two with one name the first is meant; the other stays, and is refused.
  mutating func take(_ name: String) -> String? {
    guard let index = options.firstIndex(where: { $0.name == name }) else { return nil }
    return options.remove(at: index).value
  }

  /// The text that `init(parsing:)` reads back.
  var text: String {
    let query = options.map { "\($0.name)=\($0.value.percentEncoded)" }.joined(separator: "&")
    let place = path.isEmpty ? arguments.map(\.percentEncoded).joined(separator: " ") : path.percentEncoded
    return "\(scheme):\(place)" + (query.isEmpty ? "" : "?\(query)")
  }
}

extension StringProtocol {
  /// `%20` and the like decoded; a percent sign that begins no code stays.
  var percentDecoded: String {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      // A number may have a sign, and a code none.
      if byte == UInt8(ascii: "%"), rest.count >= 2, rest.first != UInt8(ascii: "+"),
        let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Blanks, `?`, `&`, `%` and control characters as `%20` and the like.
  var percentEncoded: String {
    let bytes = utf8.flatMap { byte in
      byte <= 0x20 || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "&")
        || byte == 0x7F
        ? Array(("%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8) : [byte]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
