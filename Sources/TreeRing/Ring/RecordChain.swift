import CTreeRing

/// Finds where records begin in a stretch of a ring that begins anywhere and ends where a record ends.
///
/// Records tell their length at the front only, so a reader who joins late, or was overtaken by the producer, does not know where the next one starts. Every multiple of
/// 8 is tried: a *chain* begins where a plausible header is followed by another, numbered one higher, and so on, exactly to the end of the stretch.
///
/// A record's contents may come from a stranger, who may put something like a chain of records into them. So no single chain is believed. All chains that begin
/// within the length of the largest record are followed, and one of them is the true one, because the record that lies across the beginning ends there. What begins where **all** of them have
/// joined is part of the true one: a stranger can hide a record, but never forge one.
///
/// Cost: a look at every eighth byte, and 12 bytes of memory for each.
struct RecordChain {
  /// Where the first record begins.
  let offset: Int
  /// Its number.
  let sequence: UInt64

  /// - Parameters:
  ///   - bytes: any bytes, at a position of the ring that is a multiple of 8. They do not change meanwhile.
  ///   - largest: bytes of the largest record.
  ///   - sequences: numbers that the record behind the end may have.
  /// - Returns: nil when no chain reaches the end, or when they join only there.
  init?(in bytes: UnsafeRawBufferPointer, largest: Int, sequences: ClosedRange<UInt64>) {
    let cells = unsafe Cells(unsafe bytes, sequences)
    guard let first = cells.firstCommon(startingWithin: largest) else { return nil }
    offset = first * 8
    sequence = cells.sequences[first]
  }

  /// Of each multiple of 8: how many cells on the next record of a chain begins, and the record's number. 0: no chain begins here.
  private struct Cells {
    private(set) var strides: [Int32]
    private(set) var sequences: [UInt64]

    init(_ bytes: UnsafeRawBufferPointer, _ ends: ClosedRange<UInt64>) {
      let count = bytes.count / 8
      strides = [Int32](repeating: 0, count: count)
      sequences = [UInt64](repeating: 0, count: count)
      // From the end, so that what follows a record is known already.
      for cell in stride(from: count - 1, through: 0, by: -1) {
        guard let record = unsafe RecordView(UnsafeRawBufferPointer(rebasing: bytes[(cell * 8)..<(count * 8)])) else {
          continue
        }
        let (next, number) = unsafe (cell + record.stride / 8, record.sequence &+ 1)
        let isChain = next == count ? ends.contains(number) : strides[next] > 0 && sequences[next] == number
        if isChain {
          strides[cell] = unsafe Int32(record.stride / 8)
          sequences[cell] = unsafe record.sequence
        }
      }
    }

    /// The first cell that is part of every chain that begins in the first `largest` bytes.
    func firstCommon(startingWithin largest: Int) -> Int? {
      var isReached = strides.prefix(largest / 8 + 1).map { $0 > 0 }
      isReached += repeatElement(false, count: strides.count + 1 - isReached.count)
      var open = isReached.count { $0 }
      for cell in strides.indices where isReached[cell] {
        if open == 1 { return cell }
        let next = cell + Int(strides[cell])
        if isReached[next] { open -= 1 } else { isReached[next] = true }
      }
      return nil
    }
  }
}
