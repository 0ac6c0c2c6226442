import CTreeRing

/// What a batch can be known by in a file afterwards, whoever else has written there since: its first bytes, and a hash of its last.
///
/// Both ends hold what no other batch has, times to the nanosecond and numbers of records; and a file that is only appended to has all of what lies between.
struct BatchMark: Equatable {
  let head: [UInt8]
  let tail: UInt64

  init(_ batch: UnsafeRawBufferPointer) {
    head = unsafe Array(batch.prefix(Int(TR_INTENT_HEAD)))
    tail = unsafe batch.suffix(Int(TR_INTENT_TAIL)).reduce(0xcbf2_9ce4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
  }

  /// Whether `bytes`, which may end before the batch does, begin as the batch did.
  static func begins(_ bytes: UnsafeRawBufferPointer, like intent: TRIntent) -> Bool {
    var intent = intent
    let count = min(Int(TR_INTENT_HEAD), Int(clamping: intent.length), bytes.count)
    let head = unsafe tr_intent_head(&intent)
    return unsafe count > 0 && bytes.prefix(count).elementsEqual(UnsafeBufferPointer(start: head, count: count))
  }

  func store(in intent: inout TRIntent) {
    intent.tail_hash = tail
    unsafe RingFile.copy(head, to: UnsafeMutableRawPointer(tr_intent_head(&intent)), Int(TR_INTENT_HEAD))
  }
}
