import CBenchmark
import TreeRing

/// Where a subject's file and rings are. `Benchmarks/run` removes it.
struct Folder {
  let path: String

  init(_ path: String) { self.path = path }

  var log: String { path + "/log" }

  func startTreeRing(debug: String? = nil) throws {
    try LogSystem.start(
      LogConfiguration(sinks: [.file(log, format: .console)], directory: path + "/rings", debug: debug))
  }

  func enabled(
    _ name: String, _ clock: BMClock, _ burst: @convention(c) (UInt32) -> Void, _ flush: @convention(c) () -> Void
  ) {
    unsafe name.withCString { name in
      unsafe log.withCString { file in
        unsafe bm_enabled(BMSubject(name: name, burst: burst, flush: flush, path: file, clock: clock))
      }
    }
  }
}
