import CTreeRing
import Glibc

/// What is at the other end of a descriptor, as far as its reader's comfort is concerned.
package enum Terminal {
  /// Columns; nil when it is no terminal.
  package static func width(of descriptor: Int32) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    let columns = tr_terminal_columns(descriptor)
    // Narrower than that nothing can be laid out.
    return columns >= 20 ? Int(columns) : nil
  }

  /// Whether it shows colours: https://no-color.org, and a terminal that can.
  package static func wantsColours(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && (Syscalls.environment("NO_COLOR") ?? "").isEmpty
      && Syscalls.environment("TERM") != "dumb"
  }

  /// Whether it knows 256 colours.
  package static var hasManyColours: Bool {
    (Syscalls.environment("TERM") ?? "").contains("256color") || Syscalls.environment("COLORTERM") != nil
  }
}
