import CTreeRing

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
  private let plans: LinePlans
  /// What a record is given to point at.
  let facts: UnsafePointer<Facts>

  /// What a record leaves out. Valid as long as the template lives.
  @unsafe
  struct Facts {
    let pieces: UnsafeBufferPointer<Piece>
    /// The keys need no escape, are no names that a format needs for itself, and none is there twice: a record that has no others needs no look at its names.
    let areNamesSettled: Bool
    /// How a usual record's line is put together; nil: it is not.
    let text: LinePlan?
    let json: LinePlan?
  }

  /// A literal of the text, or the key of a value.
  @unsafe
  package struct Piece {
    package let isKey: Bool
    /// Needs no escape in any format: printable ASCII without quotes and backslashes.
    let isPlain: Bool
    let start: UnsafePointer<UInt8>
    let count: Int

    package var text: UnsafeBufferPointer<UInt8> { unsafe UnsafeBufferPointer(start: start, count: count) }
  }

  /// - Parameter pieces: ranges of `bytes`, which the caller has checked.
  init(bytes: [UInt8], pieces: [(isKey: Bool, text: Range<Int>)], file: String, line: UInt32, column: UInt32) {
    self.file = file
    self.line = line
    self.column = column
    unsafe memory = .allocate(capacity: max(bytes.count, 1))
    unsafe memory.initialize(from: bytes, count: bytes.count)
    unsafe list = .allocate(capacity: max(pieces.count, 1))
    for (index, piece) in pieces.enumerated() {
      let start = unsafe memory + piece.text.lowerBound
      let text = unsafe UnsafeBufferPointer(start: start, count: piece.text.count)
      unsafe (list + index).initialize(
        to: Piece(
          isKey: piece.isKey, isPlain: Escape.isPlainInEveryFormat(text), start: start, count: piece.text.count))
    }
    let list = unsafe UnsafeBufferPointer(start: list, count: pieces.count)
    let areNamesFree = unsafe Self.areFree(list)
    plans = unsafe LinePlans(list, areNamesFree: areNamesFree)
    let facts = UnsafeMutablePointer<Facts>.allocate(capacity: 1)
    unsafe facts.initialize(
      to: Facts(
        pieces: list, areNamesSettled: areNamesFree && !list.contains { unsafe $0.isKey && $0.count == 0 },
        text: plans.text?.plan, json: plans.json?.plan))
    unsafe self.facts = UnsafePointer(facts)
  }

  /// Whether the keys, as they stand, may name members of any JSON record. An empty one names none: its value stands in the text alone.
  private static func areFree(_ pieces: UnsafeBufferPointer<Piece>) -> Bool {
    for index in pieces.indices where unsafe pieces[index].isKey && pieces[index].count > 0 {
      let key = unsafe UnsafeRawBufferPointer(pieces[index].text)
      if unsafe !pieces[index].isPlain || NameSet.isReservedAnywhere(key) { return false }
      for other in index + 1..<pieces.count where unsafe pieces[other].isKey {
        if unsafe key.elementsEqual(pieces[other].text) { return false }
      }
    }
    return true
  }

  deinit {
    unsafe facts.deallocate()
    unsafe list.deallocate()
    unsafe memory.deallocate()
  }

  /// Valid as long as the template lives.
  package var pieces: UnsafeBufferPointer<Piece> { unsafe facts.pointee.pieces }
}

/// The templates of one process's records, each read once. Used by one thread.
///
/// Premise of every unsafe line: `table` has a slot for every site there can be. A template lives as long as this.
@safe
package final class RecordTemplates {
  /// By id; what a record is given, without a look at the object it belongs to, which counts who holds it.
  private let table: UnsafeMutablePointer<UnsafePointer<RecordTemplate.Facts>?>
  private var templates: [RecordTemplate] = []
  private static let ids = Int(TR_MAX_SITES)

  package init() {
    unsafe table = .allocate(capacity: Self.ids)
    unsafe table.initialize(repeating: nil, count: Self.ids)
  }

  deinit { unsafe table.deallocate() }

  /// Gives a record of a call site what it left out. A record whose site cannot be found counts as truncated: its values have no names.
  @inline(__always)
  package func complete(_ record: inout RecordView, from source: any RingSource) {
    let site = unsafe record.site
    guard site > 0 else { return }
    if site < TR_MAX_SITES, let facts = unsafe table[Int(site)] ?? read(site, from: source) {
      unsafe record.complete(with: facts)
    } else {
      unsafe record.isTruncated = true
    }
  }

  @inline(never)
  private func read(_ site: UInt16, from source: any RingSource) -> UnsafePointer<RecordTemplate.Facts>? {
    guard let template = source.template(site) else { return nil }
    templates.append(template)
    unsafe table[Int(site)] = template.facts
    return unsafe template.facts
  }
}
