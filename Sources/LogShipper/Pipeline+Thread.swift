import Glibc
package import TreeRing

extension Pipeline {
  /// Runs the pipeline on a thread of its own, which takes no signals. Call ``PipelineThread/finish()`` to end it.
  package func start() throws(LogError) -> PipelineThread { try PipelineThread(self) }
}

/// A pipeline that runs beside the program.
package final class PipelineThread {
  private let pipeline: Pipeline
  private var thread = pthread_t()

  fileprivate init(_ pipeline: Pipeline) throws(LogError) {
    self.pipeline = pipeline
    var everything = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&everything)
    unsafe pthread_sigmask(SIG_SETMASK, &everything, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let context = unsafe Unmanaged.passRetained(pipeline)
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        if let context = unsafe context { unsafe Unmanaged<Pipeline>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      unsafe context.release()
      throw LogError("cannot start the shipping thread: \(Errno(result))")
    }
  }

  /// Delivers what there is, and returns whether that was possible; if not, the reason was told. Blocking.
  package func finish() -> Bool {
    pipeline.stop()
    pthread_join(thread, nil)
    return pipeline.isComplete
  }
}
