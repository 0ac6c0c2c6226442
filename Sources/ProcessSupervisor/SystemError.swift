import Glibc

/// A system call that failed, with the errno it left.
struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  let call: String
  let code: Int32

  /// Takes errno, so it stands right behind the call.
  init(_ call: String) { self.init(call, code: errno) }

  init(_ call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  var description: String { "\(call): \(Self.text(code))" }

  /// "Permission denied", for 13.
  static func text(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    // Glibc's strerror returns a constant, or a buffer of this thread: valid until this thread's next call.
    return unsafe String(cString: text)
  }
}

extension SystemError {
  /// The result of a call that returns -1 on failure, tried again when a signal interrupted it.
  @discardableResult
  static func check<Result: FixedWidthInteger & SignedInteger>(
    _ name: String, _ call: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = call()
      if result != -1 { return result }
      if errno != EINTR { throw SystemError(name) }
    }
  }
}
