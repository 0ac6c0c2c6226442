import CTreeRing
import Synchronization

/// Fields that every record of a task carries, whatever logger writes it.
///
/// A context is a task-local value, so it follows structured concurrency: child tasks have it, on whatever thread they run, and it ends with its scope. A call looks for
/// one only when some scope has ever been opened in the process (`TR_CALL_TASK_CONTEXTS`): until then it pays one look at a bit of its ring.
enum TaskContext {
  @TaskLocal static var current: LogContext?

  private static let isLookedFor = Atomic<Bool>(false)

  /// Makes calls look for contexts, from now on. Whoever finds that somebody else is about to do so does it as well: no scope begins before every ring has been told.
  static func begin() {
    if isLookedFor.load(ordering: .acquiring) { return }
    unsafe _ = tr_or32(tr_calls_of_process(), TR_CALL_TASK_CONTEXTS)
    RingSlots.tellHowCallsGo()
    isLookedFor.store(true, ordering: .releasing)
  }

  /// A context with `fields` in it, and with those of the current one whose names they leave free.
  static func adding(_ fields: (inout LogFields) -> Void, isNumbered: Bool) -> LogContext {
    let outer = current
    let number = outer?.number ?? (isNumbered ? TaskNumber() : nil)
    return LogContext((outer?.segments ?? []).replacing(fields), number: number)
  }
}

/// Numbers the records of a context, in the order of the calls.
final class TaskNumber: Sendable {
  private let next = Atomic<UInt64>(0)

  /// The next number, from 0.
  func take() -> UInt64 { next.add(1, ordering: .relaxed).oldValue }
}

extension RecordPlace {
  /// The fields of the task's context, if it has one.
  @usableFromInline
  @inline(never)
  func addingTaskContext() -> RecordPlace {
    guard let context = TaskContext.current else { return self }
    var writer = RecordWriter(adding(context.segments))
    if let number = context.number { number.take().write(to: &writer, key: "task.seq", fieldOnly: true) }
    return writer.place
  }
}
