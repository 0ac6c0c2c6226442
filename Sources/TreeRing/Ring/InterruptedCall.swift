import CTreeRing

/// Where a thread stood when a call was sent to a ring that is none of the thread's: what is put back when that call ends.
@unsafe
struct InterruptedCall {
  private let ready: UnsafeMutablePointer<TRRing>?
  private let first: UnsafeMutablePointer<TRRing>?
  private let cursor: UnsafeMutablePointer<UInt8>?
  private let limit: UnsafeMutablePointer<UInt8>?
  private let slots: UnsafePointer<UInt64>?

  init(of thread: UnsafeMutablePointer<TRThread>) {
    unsafe ready = thread.pointee.ready
    unsafe first = thread.pointee.rings.0
    unsafe cursor = thread.pointee.cursor
    unsafe limit = thread.pointee.limit
    unsafe slots = thread.pointee.slots
  }

  func restore(to thread: UnsafeMutablePointer<TRThread>) {
    unsafe thread.pointee.cursor = cursor
    unsafe thread.pointee.limit = limit
    unsafe thread.pointee.slots = slots
    guard unsafe thread.pointee.ready == nil else { return }
    // A call in the arguments may have given the thread its first ring, or taken a closed one away.
    if unsafe first == nil || ready != nil && thread.pointee.rings.0 == ready {
      unsafe thread.pointee.ready = thread.pointee.rings.0
    }
  }
}
