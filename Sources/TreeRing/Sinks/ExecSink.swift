import Glibc

/// A child process that is fed through a pipe: `exec:lnav -q`.
///
/// No shell is involved. The child has this program's environment, standard output and standard error, no other descriptor, no blocked and no ignored signal. When it
/// ends, or closes its standard input, it is started again, with longer and longer pauses while it does not last. ``finish()`` closes the pipe, and waits a second for
/// the child to read to the end before it is ended.
package final class ExecSink: Sink {
  package let arguments: [String]
  package let format: LogFormat
  package let colours = false
  package let level: Level
  package let name: String
  private var child: ChildReader?
  private var ending: ChildReader.Ending?

  static let patienceMilliseconds = 1000

  /// The child; nil while there is none.
  package var pid: Int32? { child?.pid }

  /// Starts the child. Blocking until it has been executed.
  package init(arguments: [String], format: LogFormat? = nil, level: Level = .trace) throws(LogError) {
    self.arguments = arguments
    self.format = format ?? .json
    self.level = level
    name = "exec:\(arguments.first ?? "")"
    guard !arguments.isEmpty else { throw LogError("exec: needs a program, as in exec:lnav -q") }
    do {
      child = try ChildReader(arguments)
    } catch {
      throw LogError("cannot run \(arguments[0]): \(error); give a program on PATH, or its full path")
    }
  }

  deinit { finish() }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard try unsafe accept(bytes, patienceMilliseconds: 100) == bytes.count else { throw Errno(EAGAIN) }
  }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    guard let child else { throw Errno(ECHILD) }
    do throws(Errno) {
      let taken = try unsafe PipeWriter(descriptor: child.descriptor, kind: .nonBlocking)
        .accept(bytes, patienceMilliseconds: patienceMilliseconds)
      // A child of the child, which outlives it, holds the pipe open and reads nothing.
      if taken == 0, bytes.count > 0, bury(child, withinMilliseconds: 0) { throw Errno(EPIPE) }
      return taken
    } catch {
      // Its end of the pipe closes a moment before it can be waited for.
      if self.child != nil { _ = bury(child, withinMilliseconds: 20) }
      throw error
    }
  }

  /// Lets go of a child that has ended. False while it lives.
  private func bury(_ child: ChildReader, withinMilliseconds limit: Int) -> Bool {
    ending = child.ending(withinMilliseconds: limit)
    guard ending != nil else { return false }
    Syscalls.closeKept(child.descriptor)
    self.child = nil
    return true
  }

  /// A new child. One that lives but has closed its standard input is ended first.
  package func reopen() throws(Errno) -> Bool {
    _ = child?.finish(patienceMilliseconds: 0)
    child = nil
    child = try ChildReader(arguments)
    return true
  }

  package func describe(_ error: Errno) -> String {
    switch error.code {
    case EPIPE, ECHILD: ending.map { "\($0)" } ?? "it does not read its standard input any more"
    case EAGAIN: "it does not keep up"
    default: "\(error)"
    }
  }

  package func synchronise() {}

  package func finish() {
    ending = child?.finish(patienceMilliseconds: Self.patienceMilliseconds) ?? ending
    child = nil
  }
}
