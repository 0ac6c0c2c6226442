import CTreeRing

/// A piece of a line that is another for each level, spelled once.
///
/// Premise of every unsafe line: there is an entry for each level; an entry has room for the longest piece, which its maker knows.
@safe
final class LevelPieces {
  /// Bytes of the longest piece.
  private static let longest = 32

  private struct Entry {
    let text: InlineArray<32, UInt8>
    let count: Int
  }

  private let entries: UnsafeMutablePointer<Entry>

  init(_ spell: (Level, OutputBuffer) -> Void) {
    unsafe entries = .allocate(capacity: Level.allCases.count)
    for level in Level.allCases {
      let output = OutputBuffer(capacity: Self.longest)
      spell(level, output)
      let text = InlineArray<32, UInt8> { index in index < output.count ? unsafe output.bytes[index] : 0 }
      unsafe (entries + Int(level.rawValue)).initialize(to: Entry(text: text, count: output.count))
    }
  }

  deinit { unsafe entries.deallocate() }

  @inline(__always)
  func append(_ level: Level, to line: inout OutputCursor) {
    let entry = unsafe entries + Int(level.rawValue)
    unsafe tr_copy(line.at, entry, Self.longest)
    unsafe line.at += entry.pointee.count
  }
}
