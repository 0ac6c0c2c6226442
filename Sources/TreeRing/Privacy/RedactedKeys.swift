/// Names of fields whose values never reach a log, whatever a call says: `password`, `authorization`, `set-cookie` and their like. On by default.
///
/// The last component of a field's name counts, without `-` and `_` and in any case: it is hidden when it **ends with** one of the names. So
/// `db.password`, `userPassword`, `http.request.header.Set-Cookie` and `X-Auth-Token` are hidden, `token.count` and `tokens` are not. The field is there, and says
/// `[redacted]`; of a nested value under such a name nothing else is left. What is hidden never reaches a ring, so it is in no ring file, archive or crash record.
///
/// A mark counts instead of the name: a value marked ``LogPrivacy/public`` is written, one marked ``LogPrivacy/hashed`` is hashed. A value that stands in the text without
/// a name is not looked at.
///
/// ```swift
/// let configuration = LogConfiguration(redactedKeys: .standard.adding(["iban"]).removing(["session"]))
/// ```
///
/// In the environment `TREERING_REDACT=iban,-session` adds and removes, and `TREERING_REDACT=off` hides nothing.
///
/// Cost: none for a name that the call site has used before and that is harmless; some 20 ns for one that is made at run time.
public struct RedactedKeys: Sendable, Equatable {
  /// The names: lower case, without `-` and `_`, sorted.
  public private(set) var names: [String]

  /// What nobody wants in a log.
  public static let standard = RedactedKeys([
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "authorization", "auth",
    "cookie",
    "cookies", "apikey", "accesskey", "privatekey", "secretkey", "signingkey", "encryptionkey", "credential",
    "credentials", "session", "sessionid", "jwt", "bearer", "cvv", "cvc", "ssn",
  ])

  /// Nothing is hidden because of its name.
  public static let none = RedactedKeys([])

  /// Exactly these names.
  public init(_ names: [String]) {
    self.names = Set(names.map(Self.normalised).filter { !$0.isEmpty }).sorted()
  }

  /// These names and `more`.
  public func adding(_ more: [String]) -> RedactedKeys { RedactedKeys(names + more) }

  /// These names without `fewer`.
  public func removing(_ fewer: [String]) -> RedactedKeys {
    let fewer = Set(fewer.map(Self.normalised))
    return RedactedKeys(names.filter { !fewer.contains($0) })
  }

  private static func normalised(_ name: String) -> String {
    String(decoding: KeyEnding(name.utf8).bytes.reversed(), as: UTF8.self)
  }

  /// A value of `TREERING_REDACT`: names to add, and names to remove with a `-` before them; `off` first begins with none. Nil when one of them is no name.
  package init?(parsing text: String) {
    var keys = Self.standard
    for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
      if part == "off" {
        keys = .none
      } else if part.first == "-", part.count > 1 {
        keys = keys.removing([String(part.dropFirst())])
      } else if part.utf8.allSatisfy(KeyEnding.isUsual), Self.normalised(String(part)) != "" {
        keys = keys.adding([String(part)])
      } else {
        return nil
      }
    }
    self = keys
  }
}

/// The end of a field's name as it is compared: the bytes of its last component from the last to the first, without `-`, `_` and blanks, ASCII letters in
/// lower case, 32 at most. On the stack.
struct KeyEnding {
  private var storage = InlineArray<32, UInt8>(repeating: 0)
  private(set) var count = 0

  init(_ name: UnsafeBufferPointer<UInt8>) {
    var index = name.count
    while index > 0, count < 32, unsafe take(name[index - 1]) { index -= 1 }
  }

  init(_ name: String.UTF8View) {
    for byte in name.reversed() {
      guard count < 32, take(byte) else { break }
    }
  }

  /// How a byte is compared: 0 for one that is not looked at, nil for a dot, where the component ends.
  static func letter(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "."): nil
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: " "): 0
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
    default: byte
    }
  }

  /// False at a dot.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard let letter = Self.letter(byte) else { return false }
    if letter != 0 {
      storage[count] = letter
      count += 1
    }
    return true
  }

  /// From the last to the first.
  var bytes: [UInt8] { (0..<count).map { storage[$0] } }

  /// Whether the name ends with the one whose bytes, from the last to the first, are `other`.
  func begins(with other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard other.count <= count else { return false }
    for index in 0..<other.count where unsafe storage[index] != other[index] { return false }
    return true
  }

  /// Whether a byte may stand in a name that somebody lists.
  static func isUsual(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }
}
