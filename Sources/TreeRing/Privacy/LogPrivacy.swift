/// What a log may say of a value. A mark stands beside the value, and works in the call: what it hides never reaches a ring, so it is in no log, archive,
/// crash record or ring file.
///
/// | mark | of `4929 1234 5678 1111` stays |
/// |---|---|
/// | ``public`` | `4929 1234 5678 1111` |
/// | ``masked`` | `***1111` |
/// | ``hashed`` | `#5f0c61d2b8a94e37`: the same for equal values, as long as the process lives |
/// | ``secret`` | `[redacted]` |
///
/// A hidden value is a string in the record, whatever it was. The raw values are those of the attribute that swift-log carries.
@frozen
public enum LogPrivacy: Int64, Sendable, CaseIterable {
  /// Anybody may read it.
  case `public` = 1
  /// Its last four characters may be read, when it has twelve or more: enough to recognise a card or a key, too little to use it. Otherwise nothing.
  case masked = 2
  /// Equal values can be recognised within one process, and nothing else. The hash is SipHash-2-4 with a random key that only the process's memory holds, so a
  /// reader of the log cannot find the value by trying. (A fork's child has its parent's key.)
  case hashed = 3
  /// That there is a value may be read, and nothing of it: not its length, not whether it is the same as another.
  case secret = 4
}
