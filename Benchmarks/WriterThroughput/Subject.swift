import CBenchmark
import TreeRing

/// One way for TreeRing's records to go.
struct Subject {
  let title: String
  let question: StaticString
  let sink: SinkConfiguration
  /// The file that the sink writes; empty when something else takes the bytes.
  var file = ""
  var ringSize = Self.sizeOfPeersQueue

  /// Bytes of a ring that holds about as many of these records as spdlog's queue, 65,536.
  static let sizeOfPeersQueue = 65_536 * 128

  /// The subject of that name. A sink that needs a reader gets one.
  init?(named name: String, folder: String) {
    switch name {
    case "treering-console": self.init("TreeRing, text", "writer", .console, folder)
    case "treering-json": self.init("TreeRing, JSON", "writer", .json, folder)
    case "treering-console-small":
      self.init("TreeRing, text, default ring", "writer", .console, folder)
      ringSize = LogConfiguration().ringSize
    case "sink-null": self.init(title: "null", question: "sink", sink: .null)
    case "sink-file": self.init("file", "sink", .json, folder)
    case "sink-fifo":
      self.init(title: "pipe", question: "sink", sink: .fifo(folder + "/pipe", format: .json))
      unsafe bm_receive_fifo(folder + "/pipe")
    case "sink-syslog":
      self.init(title: "syslog, local socket", question: "sink", sink: .syslog(.local(path: folder + "/socket")))
      unsafe bm_receive_datagrams(folder + "/socket")
    case "sink-journald":
      let target = SinkConfiguration.Target.journald(path: folder + "/socket")
      self.init(title: "journald socket", question: "sink", sink: SinkConfiguration(target: target))
      unsafe bm_receive_datagrams(folder + "/socket")
    default:
      guard name.hasPrefix("format-"), let format = LogFormat(rawValue: String(name.dropFirst(7))) else { return nil }
      self.init(format.rawValue, "format", format, folder)
    }
  }

  private init(title: String, question: StaticString, sink: SinkConfiguration) {
    self.title = title
    self.question = question
    self.sink = sink
  }

  /// Into a file.
  private init(_ title: String, _ question: StaticString, _ format: LogFormat, _ folder: String) {
    self.init(title: title, question: question, sink: .file(folder + "/log", format: format))
    file = folder + "/log"
  }

  /// A full ring makes the caller wait, as a full queue does with the peers: a record that was dropped is no throughput.
  func run(ringsIn directory: String) throws {
    try LogSystem.start(
      LogConfiguration(sinks: [sink], directory: directory, ringSize: ringSize, whenFull: .block))
    measure()
    let counters = LogSystem.counters
    let lost = counters.droppedTotal + counters.withheld + (counters.emitted - counters.written)
    if lost > 0 { unsafe bm_fail("\(title): \(lost) records were not written: the figures mean nothing", 1) }
  }

  private func measure() {
    unsafe title.withCString { name in
      unsafe file.withCString { file in
        let subject = unsafe BMSubject(
          name: name, burst: { Calls.treeRing($0) }, flush: { LogSystem.flush() }, path: file, clock: BM_CLOCK_TICKS)
        unsafe bm_throughput(subject, question.description)
        if question.description == "writer" { unsafe bm_call_to_file(subject) }
      }
    }
  }
}
