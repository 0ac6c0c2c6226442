/// What can go wrong when logging is started, or rings are read. Each case names the thing; the description says what to do.
public struct LogError: Error, Sendable, CustomStringConvertible {
  /// What failed and what to do about it, in one line.
  public let description: String

  /// The kernel's reason, where it was the kernel that refused.
  package let errno: Errno?

  package init(_ description: String, errno: Errno? = nil) {
    self.description = description
    self.errno = errno
  }
}
