/// How a call holds itself back.
@usableFromInline
enum Restraint: Sendable, Equatable {
  /// At most `count` records in `milliseconds`.
  case rate(count: Int, milliseconds: UInt64)
  /// One record of `count`.
  case sample(count: Int)
  /// A record that says the same as the last one is counted instead, for `milliseconds`.
  case repeats(milliseconds: UInt64)
}

/// What became of one call under a restraint.
struct RestraintVerdict: Equatable {
  let passes: Bool
  /// Records that were held back before it, and are to be told now.
  var withheld: UInt64 = 0
}
