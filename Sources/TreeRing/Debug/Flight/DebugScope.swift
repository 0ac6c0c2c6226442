/// Channels that are on for one task and its children.
enum DebugScope {
  @TaskLocal static var filter: DebugFilter?

  /// Bytes of a spec: it may come from anybody's request, and each call of a channel that is off is compared with each of its patterns.
  static let longestSpec = 1024

  /// Whether the caller's task has the channel on.
  static func allows(_ name: LogKey) -> Bool {
    guard let filter else { return false }
    return unsafe filter.isEnabled(UnsafeBufferPointer(start: name.start, count: name.count).span)
  }

  /// The filter for `spec`, or nil when there is nothing to do.
  static func filter(_ spec: String?, _ isAuthorized: () -> Bool) -> DebugFilter? {
    guard let spec, !spec.isEmpty, spec.utf8.count <= longestSpec else { return nil }
    let filter = DebugFilter(parsing: spec)
    guard !filter.names.isEmpty, isAuthorized() else { return nil }
    return filter
  }
}

extension DebugChannel {
  /// Does `body` with channels on for this task and its child tasks alone, on whatever threads they run: for one request that asks for it.
  ///
  /// ```swift
  /// try await DebugChannel.withEnabled(request.headers["X-Debug"], isAuthorized: { user.isOperator }) {
  ///   try await respond(to: request)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - spec: npm `debug`'s language, in addition to what is on for everybody; nil or empty: `body` is done as it is, and nothing else happens. A skip (`-name`) keeps
  ///     a channel from being switched on here, and switches nothing off. An inner scope replaces an outer one. One of more than 1,024 bytes
  ///     is not looked at: it may have come with a request.
  ///   - isAuthorized: asked only when there is something to switch on. False: the same as no `spec`.
  ///
  /// Cost: none for who does not use it. While a scope is open anywhere, and ten seconds longer, each call of a channel that is off looks at its task, some
  /// tens of nanoseconds.
  public nonisolated(nonsending) static func withEnabled<Result>(
    _ spec: String?, isAuthorized: () -> Bool = { true },
    _ body: nonisolated(nonsending) () async throws -> Result
  ) async rethrows -> Result {
    guard let filter = DebugScope.filter(spec, isAuthorized) else { return try await body() }
    Aside.enter()
    defer { Aside.leave() }
    return try await DebugScope.$filter.withValue(filter) { try await body() }
  }

  /// Does `body` with channels on for this task alone; the same for code that does not wait.
  public static func withEnabled<Result>(
    _ spec: String?, isAuthorized: () -> Bool = { true }, _ body: () throws -> Result
  ) rethrows -> Result {
    guard let filter = DebugScope.filter(spec, isAuthorized) else { return try body() }
    Aside.enter()
    defer { Aside.leave() }
    return try DebugScope.$filter.withValue(filter) { try body() }
  }
}
