import Glibc
package import TreeRing

extension Pipeline {
  /// Runs the pipeline on a thread of its own, which takes no signals. Call ``PipelineThread/finish()`` to end it.
  package func start() throws(LogError) -> PipelineThread { try PipelineThread(self) }
}

/// A pipeline that runs beside the program.
package final class PipelineThread {
  private let pipeline: Pipeline
  private let thread: pthread_t

  fileprivate init(_ pipeline: Pipeline) throws(LogError) {
    self.pipeline = pipeline
    do { thread = try OwnThread.start { pipeline.run() } } catch {
      throw LogError("cannot start the shipping thread: \(error)")
    }
  }

  /// Delivers what there is, and returns whether that was possible; if not, the reason was told. Blocking.
  package func finish() -> Bool {
    pipeline.stop()
    pthread_join(thread, nil)
    return pipeline.isComplete
  }
}
