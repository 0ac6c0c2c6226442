/// What the records of one call site have in common: its literals and the keys of its fields, in the order of the source, and where it stands.
///
/// Made once for each site that a reader meets, and kept: records point into it. Never changed.
@safe
package final class RecordTemplate: @unchecked Sendable {  // constants; the memory is freed with the object
  /// `Module/File.swift`.
  package let file: String
  package let line: UInt32
  package let column: UInt32
  private let memory: UnsafeMutablePointer<UInt8>
  private let list: UnsafeMutablePointer<Piece>
  private let count: Int

  /// A literal of the text, or the key of a value.
  @unsafe
  package struct Piece {
    package let isKey: Bool
    package let text: UnsafeBufferPointer<UInt8>
  }

  /// - Parameter pieces: ranges of `bytes`, which the caller has checked.
  init(bytes: [UInt8], pieces: [(isKey: Bool, text: Range<Int>)], file: String, line: UInt32, column: UInt32) {
    self.file = file
    self.line = line
    self.column = column
    count = pieces.count
    unsafe memory = .allocate(capacity: max(bytes.count, 1))
    unsafe memory.initialize(from: bytes, count: bytes.count)
    unsafe list = .allocate(capacity: max(pieces.count, 1))
    for (index, piece) in pieces.enumerated() {
      let text = unsafe UnsafeBufferPointer(start: memory + piece.text.lowerBound, count: piece.text.count)
      unsafe (list + index).initialize(to: Piece(isKey: piece.isKey, text: text))
    }
  }

  deinit {
    unsafe list.deallocate()
    unsafe memory.deallocate()
  }

  /// Valid as long as the template lives.
  package var pieces: UnsafeBufferPointer<Piece> { unsafe UnsafeBufferPointer(start: list, count: count) }
}

/// The templates of one process's records, each read once.
package struct RecordTemplates {
  private var known: [RecordTemplate?] = []

  package init() {}

  /// Gives a record of a call site what it left out. A record whose site cannot be found counts as truncated: its values have no names.
  package mutating func complete(_ record: inout RecordView, from source: any RingSource) {
    let id = unsafe Int(record.site)
    guard id > 0 else { return }
    if id >= known.count { known.append(contentsOf: repeatElement(nil, count: id + 1 - known.count)) }
    if known[id] == nil { unsafe known[id] = source.template(record.site) }
    if let template = known[id] {
      unsafe record.pieces = template.pieces
    } else {
      unsafe record.isTruncated = true
    }
  }
}
