/// Fields that are encoded once, and copied into each record that carries them: what a backend's logger was given for good.
///
/// What privacy marks and ``RedactedKeys`` hide is hidden in the copy already. So a copy holds only as long as the list of keys that it was made under, and who has
/// one asks ``isCurrent`` before each use.
package final class EncodedFields: Sendable {
  let segments: [UInt8]
  private let list: UInt64

  /// Encodes what `fields` writes. Allocates.
  package init(_ fields: (RecordPlace) -> RecordPlace) {
    // First the list's number, then the look at the list: a list that is put in force in between makes fields that are thrown away, and none that tell too much.
    list = RedactionTable.number
    var segments: [UInt8] = []
    segments.appendSegments(atMost: 256) { $0 = RecordWriter(fields($0.place)) }
    self.segments = segments
  }

  /// Whether they hide what a call has to hide now. Cost: two loads.
  package var isCurrent: Bool { list == RedactionTable.number }

  /// Bytes of a record that they take.
  package var size: Int { segments.count }
}
