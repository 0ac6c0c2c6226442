#if Metrics && ServiceLifecycle
  public import ServiceLifecycle

  extension LogMetrics: Service {
    /// Reports every ``interval``, and once more when the group ends. Listed after ``LogService`` it ends before it, with what was counted until then.
    public func run() async {
      while await sleeps() { report() }
      report()
    }

    /// Waits for the next report; false when the group ends.
    private func sleeps() async -> Bool {
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: self.interval) }
        return true
      } catch {
        return false
      }
    }
  }
#endif
