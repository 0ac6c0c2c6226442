import ArgumentParser
import Glibc
import TreeRing

/// Writing to the person or program at the other end.
enum Console {
  /// One line to standard error. Nothing in it steers a terminal: it may name a file that somebody else has named.
  static func complain(_ line: String) { Syscalls.complain(line.withoutControls) }

  /// One line to standard output; a reader that has gone away ends the program quietly.
  static func print(_ line: String) {
    var text = line + "\n"
    let error = text.withUTF8 { unsafe Syscalls.writeAll(STDOUT_FILENO, UnsafeRawBufferPointer($0)).error }
    if error != nil { Glibc.exit(1) }
  }
}

extension ExitCode {
  /// sysexits(3) `EX_CONFIG`: something in a configuration is wrong.
  static let configurationError = ExitCode(78)
}
