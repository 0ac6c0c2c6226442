extension Logger {
  /// Adds fields to every record that is written while `operation` runs: by any logger, debug channel or swift-log handler, in this task and in its child tasks,
  /// on whatever thread they run.
  ///
  /// ```swift
  /// try await Logger.withContext { $0["request.id"] = id } operation: {
  ///   try await respond(to: request)
  /// }
  /// ```
  ///
  /// Contexts nest: an inner field replaces an outer one of its name. A `Task { }` has the context of where it was made; a detached task and a thread
  /// have none. A field that the call itself names comes first, and then the context's is called `name_`.
  ///
  /// - Parameters:
  ///   - isNumbered: whether the records also carry `task.seq`, counted from 0 in the order of the calls, through nested contexts and child tasks. Within one task the
  ///     log has that order anyway, whichever threads it ran on; the number proves it, and orders what child tasks do at the same time.
  ///   - fields: sets the fields. They are encoded once, here.
  ///
  /// Cost: opening a context allocates. A call in a context copies its fields, some 30 ns; a call elsewhere looks for one, 10 ns, from the first context of
  /// the process on, and before that pays a load.
  public static func withContext<Result, Failure: Error>(
    isNumbered: Bool = false, _ fields: (inout LogFields) -> Void, operation: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let context = TaskContext.adding(fields, isNumbered: isNumbered)
    TaskContext.begin()
    // `withValue` rethrows without the type of the error.
    let outcome = TaskContext.$current.withValue(context) { () -> Swift.Result<Result, Failure> in
      do throws(Failure) { return .success(try operation()) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// Adds fields to every record that is written while `operation` runs; the same for asynchronous code.
  public nonisolated(nonsending) static func withContext<Result>(
    isNumbered: Bool = false, _ fields: (inout LogFields) -> Void,
    operation: nonisolated(nonsending) () async throws -> Result
  ) async rethrows -> Result {
    let context = TaskContext.adding(fields, isNumbered: isNumbered)
    TaskContext.begin()
    return try await TaskContext.$current.withValue(context, operation: operation)
  }
}
