import Glibc

/// An error number of the kernel, with its text.
package struct Errno: Error, Equatable, Sendable, CustomStringConvertible {
  package let code: Int32

  package init(_ code: Int32) { self.code = code }

  /// The error of the system call that has just failed on this thread.
  package static var current: Errno { Errno(errno) }

  /// For instance `Permission denied`.
  package var description: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
