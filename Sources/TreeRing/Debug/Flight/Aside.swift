import CTreeRing
import Glibc
import Synchronization

/// Where the line of a debug channel that is off goes all the same, because somebody asked for it: the stream, for one task (``DebugChannel/withEnabled(_:)``);
/// the lines that a task keeps in case it fails (``FlightRecorder``); the process's black box.
///
/// Nobody asks: a channel that is off costs its load and its branch. Somebody has asked, once in the life of the process: the gates of channels that are off
/// stay open, and each such call comes here.
enum Aside {
  private static let wanted = Atomic<Bool>(false)

  /// Whether somebody has ever asked.
  static var isWanted: Bool { wanted.load(ordering: .acquiring) }

  /// Somebody asks. From now on the gates of channels that are off stay open.
  static func want() {
    if wanted.exchange(true, ordering: .sequentiallyConsistent) { return }
    Gates.channels.reopen()
  }

  /// Whether the line of a channel belongs in the stream: the channel is on, for everybody or for this task.
  static func isInStream(_ name: LogKey) -> Bool {
    LogPolicy.current?.allowsChannel(name) ?? false || DebugScope.allows(name)
  }

  /// Whether anybody wants the line of a channel that is off for everybody.
  static func takes(_ name: LogKey) -> Bool {
    unsafe tr_box() != nil || FlightRecorder.lines != nil || DebugScope.allows(name)
  }

  /// Who gets the record of such a call: the task that the caller belongs to, and the black box.
  final class Target: DivertedRecordTarget {
    private let lines = FlightRecorder.lines

    func take(_ record: RecordView, _ context: RecordContext) {
      let output = OutputBuffer(capacity: 512)
      unsafe ConsoleFormatter(colours: false).append(record, context, to: output)
      if let box = unsafe tr_box() { unsafe BlackBox.append(output.bytes, to: box) }
      guard let lines else { return }
      unsafe record.withCarriedLabel { label in
        unsafe lines.append(String(decoding: label, as: UTF8.self), String(decoding: output.bytes, as: UTF8.self))
      }
    }
  }
}
