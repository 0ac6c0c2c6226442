/// Channels that are on for one task and its children.
enum DebugScope {
  @TaskLocal static var filter: DebugFilter?

  /// Whether the caller's task has the channel on.
  static func allows(_ name: LogKey) -> Bool {
    guard let filter else { return false }
    return unsafe filter.isEnabled(UnsafeBufferPointer(start: name.start, count: name.count).span)
  }
}

extension DebugChannel {
  /// Does `body` with channels on for this task and its child tasks alone: for one request that asks for it.
  ///
  /// ```swift
  /// try await DebugChannel.withEnabled(request.headers["X-Debug"], isAuthorized: { user.isOperator }) {
  ///   try await respond(to: request)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - spec: npm `debug`'s language, in addition to what is on for everybody; nil or empty: `body` is done as it is, and nothing else happens.
  ///   - isAuthorized: asked only when there is a `spec`. False: the same as no `spec`.
  ///
  /// Cost: until the first use with a `spec`, none. From then on each call of a channel that is off looks at its task, some tens of nanoseconds.
  public nonisolated(nonsending) static func withEnabled<Result>(
    _ spec: String?, isAuthorized: () throws -> Bool = { true },
    _ body: nonisolated(nonsending) () async throws -> Result
  ) async throws -> Result {
    guard let spec, !spec.isEmpty, try isAuthorized() else { return try await body() }
    Aside.want()
    return try await DebugScope.$filter.withValue(DebugFilter(parsing: spec)) { try await body() }
  }
}
