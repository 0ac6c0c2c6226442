#if Tracing
  internal import Instrumentation

  extension TraceContext {
    /// Whether the task that asks has a context at all. Cost: one task-local load.
    static var isUnderWay: Bool { InstrumentationContext.current != nil }

    /// The context of the task that asks; nil outside of every span, and when no tracer tells one. Cost: a task-local
    /// load, and inside of a context the strings that the tracer makes.
    static var current: TraceContext? {
      guard let context = InstrumentationContext.current else { return nil }
      var trace = TraceContext()
      InstrumentationSystem.instrument.inject(context, into: &trace, using: HeaderReader())
      return trace.traceID.isEmpty || trace.spanID.isEmpty ? nil : trace
    }
  }

  private struct HeaderReader: Injector {
    func inject(_ value: String, forKey key: String, into trace: inout TraceContext) { trace.take(value, header: key) }
  }
#else
  extension TraceContext {
    /// Without the trait `Tracing` there is none.
    static var isUnderWay: Bool { false }
    /// Without the trait `Tracing` there is none.
    static var current: TraceContext? { nil }
  }
#endif
