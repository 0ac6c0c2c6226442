/// The labels of one process's records, each looked up, copied and looked at once. Used by one thread.
///
/// A label never changes once a record has it. One that cannot be found is looked for again with the next record that has it, and so is one that no writer of
/// labels makes so long: a table that somebody else wrote may say that thousands of them are.
///
/// Premise of every unsafe line: `known` has `capacity` entries; what an entry points at is freed with this.
@safe
final class LabelCopies {
  /// A label, and whether it needs no escape in any format. No text: not known yet.
  @unsafe
  struct Label {
    let text: UnsafeRawBufferPointer?
    let isPlain: Bool
  }

  /// By id, which is small when a program has few labels: this is as long as the largest needs.
  private var known: UnsafeMutablePointer<Label>
  private var capacity = 0
  /// No label is longer (``LabelTable``).
  private static let longest = 1024

  init() { unsafe known = .allocate(capacity: 0) }

  deinit {
    for id in 0..<capacity { unsafe known[id].text?.deallocate() }
    unsafe known.deallocate()
  }

  /// The label with `id`. No text: there is none, or not yet.
  @inline(__always)
  func label(_ id: UInt16, from source: any RingSource) -> Label {
    if Int(id) < capacity, unsafe known[Int(id)].text != nil { return unsafe known[Int(id)] }
    return unsafe learn(id, from: source)
  }

  @inline(never)
  private func learn(_ id: UInt16, from source: any RingSource) -> Label {
    guard let text = unsafe source.label(id) else { return unsafe Label(text: nil, isPlain: false) }
    guard text.count < Self.longest else { return unsafe Label(text: text, isPlain: false) }
    if Int(id) >= capacity { grow(to: Int(id) + 1) }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
    unsafe copy.copyMemory(from: text)
    let bytes = UnsafeRawBufferPointer(copy)
    let isPlain = unsafe Escape.isPlainInEveryFormat(bytes.assumingMemoryBound(to: UInt8.self))
    let label = unsafe Label(text: bytes, isPlain: isPlain)
    unsafe known[Int(id)] = label
    return unsafe label
  }

  private func grow(to count: Int) {
    let larger = UnsafeMutablePointer<Label>.allocate(capacity: count)
    unsafe larger.moveInitialize(from: known, count: capacity)
    unsafe (larger + capacity).initialize(repeating: Label(text: nil, isPlain: false), count: count - capacity)
    unsafe known.deallocate()
    unsafe known = larger
    capacity = count
  }
}
