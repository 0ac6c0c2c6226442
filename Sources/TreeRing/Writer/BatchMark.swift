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

  /// How many of the first of `bytes` are those of the batch, and how many could be.
  static func agreement(of bytes: UnsafeRawBufferPointer, with intent: TRIntent) -> (count: Int, of: Int) {
    var intent = intent
    let most = min(Int(TR_INTENT_HEAD), Int(clamping: intent.length), bytes.count)
    let head = unsafe tr_intent_head(&intent)
    return ((0..<most).first { unsafe bytes[$0] != head[$0] } ?? most, most)
  }

  func store(in intent: inout TRIntent) {
    intent.tail_hash = tail
    unsafe RingFile.copy(head, to: UnsafeMutableRawPointer(tr_intent_head(&intent)), Int(TR_INTENT_HEAD))
  }
}
