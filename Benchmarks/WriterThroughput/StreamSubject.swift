import CBenchmark

/// swift-log's own handler, which writes in the call.
enum StreamSubject {
  static func run(file: String) {
    unsafe bm_redirect_output(file)
    unsafe file.withCString { file in
      unsafe "swift-log StreamLogHandler".withCString { name in
        let subject = unsafe BMSubject(
          name: name, burst: { Calls.streamLog($0) }, flush: {}, path: file, clock: BM_CLOCK_NONE)
        unsafe bm_throughput(subject, "writer")
        unsafe bm_call_to_file(subject)
      }
    }
  }
}
