import CTreeRing
import Glibc

/// Descriptors that belong to this process alone.
///
/// They are closed on exec, which a child that is forked and goes on as it is never does. With a copy in such a child a FIFO's reader, a child process of `exec:` and
/// a syslog server would not see the end of what this process has written, however long it is dead. So a forked child closes them, before it does anything else.
extension Syscalls {
  /// Has a forked child close the descriptor. Cost: a look at a short table.
  static func keepFromChildren(_ descriptor: Int32) { tr_close_in_child(descriptor) }

  /// Closes a descriptor that was kept from children.
  static func closeKept(_ descriptor: Int32) {
    // In this order: the number may be another file's as soon as it is closed.
    tr_forget_in_child(descriptor)
    close(descriptor)
  }
}
