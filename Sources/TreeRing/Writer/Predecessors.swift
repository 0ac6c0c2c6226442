import CTreeRing
import Glibc

/// What earlier runs of this program left in the ring directory when they died, written out by the next start.
///
/// In two steps, both on the writer thread, so that a start costs its program nothing:
///
/// 1. **Settle**, before the first batch of the process's own. Whether a dead process's last batch arrived is told by the length of the file it went to, and that
///    has to be asked before anybody appends to it. A few system calls for each ring file.
/// 2. **Drain**, a batch at a time in turn with the process's own rings, until nothing is left. What the end of the process interrupts stays for the next start:
///    each record once, as the intent journal has it.
///
/// Files whose process lives are never touched; of two starters at once the consumer's lock lets one in. Rings that are left to a collector are the collector's.
final class Predecessors {
  private let directory: String
  private let program: String
  private let sinks: [any Sink]
  private var waiting: ArraySlice<String> = []
  private var collector: RingCollector?
  private let complain: (String) -> Void
  private var hasComplained = false

  /// Ring files that a start looks at, at most; the rest waits for the next one.
  static let mostFiles = 1024

  /// - Parameters:
  ///   - program: as the headers of its ring files name it.
  ///   - sinks: this process's own, which take what no file can; and its open files, which are used again where a predecessor was writing the same.
  init(
    directory: String, program: String, sinks: [any Sink],
    complain: @escaping (String) -> Void = { Syscalls.complain($0) }
  ) {
    self.directory = directory
    self.program = String(decoding: program.utf8.prefix(127), as: UTF8.self)
    self.sinks = sinks
    self.complain = complain
  }

  /// Mends what unfinished batches left, and finds out whose records wait.
  func settle() {
    let paths = (try? RingDirectory.files(in: directory)) ?? []
    for path in paths.prefix(Self.mostFiles) {
      // What another program left, of another version for example, that program's next start tells of.
      do { try settle(path) } catch { if path.hasPrefix(ownBeginning) { tell(error) } }
    }
    RingDirectory.removeUnfinished(in: directory)
  }

  private var ownBeginning: String { directory + "/" + RingFile.beginningOfName(program) }

  private func settle(_ path: String) throws {
    let looked = try RingAttachment(path: path, consumes: false)
    guard !looked.isProducerAlive, looked.owner == geteuid(), var header = looked.readHeader(),
      header.mode == TR_MODE_THREAD
    else { return }
    let isOurs = unsafe text(tr_header_program(&header), limit: 128) == program
    guard isOurs || isWritingOurFile(&header) else { return }
    _ = try IntentJournal(RingAttachment(path: path, consumes: true)).settle()
    if isOurs { waiting.append(path) }
  }

  /// Whether the batch that was on its way went to a file that this process is about to append to.
  private func isWritingOurFile(_ header: inout TRProcessHeader) -> Bool {
    guard header.intent_state != 0 else { return false }
    let files = sinks.compactMap { ($0 as? FileSink)?.path }
    return (0..<Int(TR_MAX_SINKS)).contains { index in
      var intent = unsafe tr_header_intents(&header)[index]
      return unsafe files.contains(text(tr_intent_path(&intent), limit: Int(TR_PATH_SIZE)))
    }
  }

  /// Delivers one batch. False when nothing is left, or nothing can be done now.
  func step() -> Bool {
    while collector == nil, let path = waiting.popFirst() { open(path) }
    guard let current = collector else { return false }
    switch current.step() {
    case .delivered: return true
    case .failed(let error):
      tell("cannot write the records in \(current.path): \(error); they stay for the next start, or treering recover")
    case .finished, .idle: break
    }
    collector = nil
    return !waiting.isEmpty
  }

  private func open(_ path: String) {
    do {
      collector = try RingCollector(routing: path, isRecovered: true) { attachment in
        let files = try Recovery.fileRoutes(of: attachment, sharing: sinks)
        return files.isEmpty ? sinks.map { SinkRoute($0, slot: nil) } : files
      }
    } catch { tell(error) }
  }

  /// Several processes start at once, as a rule, and each looks at all files: that another one has a file in hand, or has finished it since the directory was listed,
  /// is the way it goes.
  private func tell(_ error: any Error) {
    switch error {
    case RingAttachment.Refusal.busy, RingAttachment.Refusal.gone: return
    default: tell("\(error)")
    }
  }

  /// Goes on until nothing is left, or the time is over. For the end of a process that lived too short to come to it.
  func finish(withinMilliseconds limit: UInt64) {
    let end = Syscalls.now(CLOCK_MONOTONIC) + limit * 1_000_000
    while step(), Syscalls.now(CLOCK_MONOTONIC) < end {}
  }

  /// One line: what is wrong with one ring file is wrong with others, too, as a rule.
  private func tell(_ line: String) {
    if !hasComplained { complain(line) }
    hasComplained = true
  }
}
