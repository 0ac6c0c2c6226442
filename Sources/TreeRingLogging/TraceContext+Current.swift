#if Tracing
  internal import Instrumentation

  extension TraceContext {
    /// What the runtime knows the task-local variable `InstrumentationContext.current` by.
    ///
    /// Premise: the address of its `TaskLocal`, as every client of that type passes it to the runtime; it is a global's, so it lives for ever.
    @safe
    struct Key: @unchecked Sendable {  // an address that never changes
      fileprivate let address: UnsafeRawPointer

      init() { unsafe address = UnsafeRawPointer(Unmanaged.passUnretained(InstrumentationContext.$current).toOpaque()) }
    }

    /// Whether the task that asks has a context at all, perhaps an empty one. Nearly every event asks and finds none, so the runtime is asked itself: `TaskLocal.get` would
    /// go on to copy the variable's default value, by asking its type how, which takes longer than the rest of a plain event.
    static func isUnderWay(_ key: Key) -> Bool { unsafe taskLocalValue(key.address) != nil }

    /// The context of the task that asks; nil outside of every span, and when no tracer tells one. Cost: a task-local
    /// load, and inside of a context the strings that the tracer makes.
    static var current: TraceContext? {
      guard let context = InstrumentationContext.current else { return nil }
      var trace = TraceContext()
      InstrumentationSystem.instrument.inject(context, into: &trace, using: HeaderReader())
      return trace.traceID.isEmpty || trace.spanID.isEmpty ? nil : trace
    }
  }

  /// The innermost value that is bound to a task-local variable in the current task, or on a thread without one; nil when none is. A function of the runtime's binary
  /// interface, by which compiled clients of `TaskLocal` bind values, too.
  @_silgen_name("swift_task_localValueGet")
  private func taskLocalValue(_ key: UnsafeRawPointer) -> UnsafeRawPointer?

  private struct HeaderReader: Injector {
    func inject(_ value: String, forKey key: String, into trace: inout TraceContext) { trace.take(value, header: key) }
  }
#else
  extension TraceContext {
    /// Without the trait `Tracing` there is nothing to look for.
    struct Key: Sendable {}
    /// Without the trait `Tracing` there is none.
    static func isUnderWay(_ key: Key) -> Bool { false }
    /// Without the trait `Tracing` there is none.
    static var current: TraceContext? { nil }
  }
#endif
