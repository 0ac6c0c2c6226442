import TestSupport

@testable import TreeRing

/// A value of any kind and depth that a test makes up: what is logged of it, and how it is spelled for a checker that knows nothing of this library
/// (`Cases/check-json.py`).
indirect enum FuzzedValue {
  case string(String)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case bool(Bool)
  case duration(Int64)
  case null
  case array([FuzzedValue])
  case object([(name: String, value: FuzzedValue)])

  // MARK: making one up

  init(_ random: inout SeededGenerator, depth: Int = 0) {
    switch random.next() % (depth < 4 ? 10 : 8) {
    case 0: self = .int(Int64(bitPattern: Self.word(&random)))
    case 1: self = .uint(Self.word(&random))
    case 2: self = .double(Double(bitPattern: random.next()))
    // What programs log: short decimals, whole numbers, and what lies at the ends.
    case 3: self = .double(Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) / 1000)
    case 4: self = .double(Self.ends[Int(random.next() % 9)])
    case 5: self = random.next() % 2 == 0 ? .bool(random.next() % 2 == 0) : .null
    case 6: self = .duration(Int64(bitPattern: Self.word(&random)))
    case 7: self = .string(Self.text(&random, upTo: 40))
    case 8: self = .array((0..<random.next() % 5).map { _ in FuzzedValue(&random, depth: depth + 1) })
    default: self = .object(Self.members(&random, depth: depth + 1))
    }
  }

  /// Members with any names, of which some are the same, or are taken.
  static func members(_ random: inout SeededGenerator, depth: Int) -> [(name: String, value: FuzzedValue)] {
    (0..<random.next() % 6).map { _ in (shownName(&random), FuzzedValue(&random, depth: depth)) }
  }

  /// Chance makes names now and then whose values are hidden, such as `cVC`.
  private static func shownName(_ random: inout SeededGenerator) -> String {
    while true {
      var name = name(&random)
      if !name.withUTF8({ unsafe RedactionTable.hides($0) }) { return name }
    }
  }

  private static let ends: [Double] =
    [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1e22, 0.1, 1e16]

  /// Numbers of all lengths.
  private static func word(_ random: inout SeededGenerator) -> UInt64 { random.next() >> (random.next() % 64) }

  /// Of all planes; what has to be escaped comes often.
  static func text(_ random: inout SeededGenerator, upTo length: Int) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int(random.next() % UInt64(length + 1)) {
      let ranges: [Range<UInt32>] = [0..<0x20, 0x20..<0x7F, 0x20..<0x7F, 0x7F..<0x100, 0x2020..<0x2030, 0..<0x11_0000]
      let range = ranges[Int(random.next() % 6)]
      let value = range.lowerBound + UInt32(random.next() % UInt64(range.count))
      text.append(random.next() % 8 == 0 ? "\"" : Unicode.Scalar(value) ?? "\\")
    }
    return String(text)
  }

  private static func name(_ random: inout SeededGenerator) -> String {
    let usual = ["a", "a_", "time", "seq", "msg", "ring", "level", "http.status", "é", "\"", "\\u0041"]
    let name = random.next() % 2 == 0 ? usual[Int(random.next() % 11)] : text(&random, upTo: 12)
    return name.isEmpty ? "empty" : name
  }

  // MARK: logging it

  func write(to fields: inout LogFields, _ name: String) {
    switch self {
    case .string(let value): fields.set(name, value)
    case .int(let value): fields.set(name, value)
    case .uint(let value): fields.set(name, value)
    case .double(let value): fields.set(name, value)
    case .bool(let value): fields.set(name, value)
    case .duration(let value): fields.set(name, Duration.nanoseconds(value))
    case .null: fields.set(name, Int?.none)
    case .array(let elements):
      LogKey.withKey(name) { fields.array($0) { list in for element in elements { element.write(to: &list) } } }
    case .object(let members):
      LogKey.withKey(name) { fields.group($0) { group in Self.write(members, to: &group) } }
    }
  }

  private func write(to list: inout LogElements) {
    switch self {
    case .string(let value): list.append(value)
    case .int(let value): list.append(value)
    case .uint(let value): list.append(value)
    case .double(let value): list.append(value)
    case .bool(let value): list.append(value)
    case .duration(let value): list.append(Duration.nanoseconds(value))
    case .null: list.append(Int?.none)
    case .array(let elements): list.array { inner in for element in elements { element.write(to: &inner) } }
    case .object(let members): list.group { Self.write(members, to: &$0) }
    }
  }

  private static func write(_ members: [(name: String, value: FuzzedValue)], to fields: inout LogFields) {
    for member in members { member.value.write(to: &fields, member.name) }
  }

  // MARK: what a reader must find

  var tokens: [String] {
    switch self {
    case .string(let value): [Self.token(value)]
    case .int(let value): ["i\(value)"]
    case .uint(let value): ["i\(value)"]
    case .double(let value) where !value.isFinite: [Self.token("\(value)")]
    case .double(let value):
      unsafe withUnsafeBytes(of: value.bitPattern.bigEndian) { ["d" + hexadecimal(unsafe Array($0))] }
    case .bool(let value): [value ? "b1" : "b0"]
    case .duration(let value): ["t\(value)"]
    case .null: ["n"]
    case .array(let elements): ["a\(elements.count)"] + elements.flatMap(\.tokens)
    case .object(let members): Self.tokens(of: members, reserved: [])
    }
  }

  /// - Parameter reserved: members that the object has before these, and names that none of these may have.
  static func tokens(
    of members: [(name: String, value: FuzzedValue)], after first: [(name: String, tokens: [String])] = [],
    reserved: [String]
  ) -> [String] {
    var taken = Set(reserved.map(\.scalars))
    var tokens = ["o\(first.count + members.count)"]
    for member in first { tokens += [token(member.name)] + member.tokens }
    for member in members {
      var name = member.name
      while !taken.insert(name.scalars).inserted { name += "_" }
      tokens += [token(name)] + member.value.tokens
    }
    return tokens
  }

  static func token(_ text: String) -> String { "s" + hexadecimal(text.utf8) }
}

extension String {
  /// Text that is equal only to the same scalars: Swift takes é and e with an accent for the same, JSON does not.
  fileprivate var scalars: String { unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ") }
}
