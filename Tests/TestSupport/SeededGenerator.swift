import Foundation

/// SplitMix64 from a seed: one that is new in every run and printed, so that a failure can be repeated with `TREERING_SEED`, or one that the test names.
package struct SeededGenerator: RandomNumberGenerator {
  /// What the numbers follow from. Belongs in the comment of every expectation.
  package let seed: UInt64
  private var state: UInt64

  /// A new seed; `purpose` stands in the printed line.
  package init(_ purpose: String = "test") {
    let given = ProcessInfo.processInfo.environment["TREERING_SEED"].flatMap { UInt64($0) }
    self.init(seed: given ?? .random(in: .min ... .max))
    print("\(purpose): seed \(seed)")
  }

  /// The same numbers for the same seed, which is the test's to name: nothing is printed.
  package init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Up to `length` scalars of `alphabet`.
  package mutating func text(of alphabet: [Unicode.Scalar], upTo length: Int) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...length, using: &self) {
      if let scalar = alphabet.randomElement(using: &self) { text.append(scalar) }
    }
    return String(text)
  }

  /// `count` bytes.
  package mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { unsafe withUnsafeBytes(of: next()) { unsafe bytes.append(contentsOf: $0) } }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

/// A number of an environment variable, for tests whose size a night's run raises.
package func environment(_ name: String, default value: Int) -> Int {
  ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
}
