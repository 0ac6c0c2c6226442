internal import Logging
internal import TreeRing

/// A logger's own metadata as its records carry them: what cannot change is encoded, the rest is asked for its description in each record.
///
/// A string, a number and their like say the same each time they are asked. An object may not, so it is asked each time.
final class EncodedMetadata: Sendable {
  let fields: EncodedFields
  /// Empty, or the members that are not in ``fields``.
  let others: Logging.Logger.Metadata
  private let names: NameFilter
  /// Kept alive for a thread that may be reading them.
  private let earlier: EncodedMetadata?

  /// Larger ones are written member by member, so that a record that is too large loses as little as possible. Bytes.
  private static let largest = 4096

  /// Allocates.
  init(_ metadata: Logging.Logger.Metadata, replacing earlier: EncodedMetadata?) {
    self.earlier = earlier
    names = NameFilter(metadata.keys)
    let fixed = metadata.filter { $0.value.isFixed }
    let fields = EncodedFields { $0.writing(fixed) }
    let fits = fields.size <= Self.largest
    self.fields = fits ? fields : EncodedFields { $0 }
    others = !fits || fixed.isEmpty ? metadata : metadata.filter { !$0.value.isFixed }
  }

  /// Whether one of `metadata` may have the name of one of these.
  func mayShareNames(with metadata: Logging.Logger.Metadata) -> Bool {
    for name in metadata.keys where names.mayContain(name) { return true }
    return false
  }
}

extension Logging.Logger.MetadataValue {
  /// Whether the value says the same whenever it is asked.
  fileprivate var isFixed: Bool {
    switch self {
    case .string: true
    case .stringConvertible(let convertible): ScalarType.isFixed(convertible)
    case .array(let elements): elements.allSatisfy(\.isFixed)
    case .dictionary(let members): members.values.allSatisfy(\.isFixed)
    }
  }
}

/// A set of names that never says no to one that is in it. A question takes a few instructions for each byte, where a dictionary's hash takes a hundred at least.
struct NameFilter: Sendable {
  private var bits: UInt64 = 0

  init(_ names: some Sequence<String>) {
    for name in names { bits |= Self.bits(of: name) }
  }

  func mayContain(_ name: String) -> Bool { bits & Self.bits(of: name) != 0 }

  /// One bit for an ASCII name. Strings are equal when they are canonically equivalent, which for other names their bytes do not tell: they have all bits.
  private static func bits(of name: String) -> UInt64 {
    var (hash, seen): (UInt32, UInt8) = (0, 0)
    for byte in name.utf8 {
      hash = hash &* 31 &+ UInt32(byte)
      seen |= byte
    }
    return seen < 0x80 ? 1 << UInt64((hash ^ hash >> 6) & 63) : .max
  }
}
