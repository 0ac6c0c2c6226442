import Glibc
import Synchronization
import TreeRing

/// Looks at the sources of a view in turn and prints what is new, until it is interrupted, its reader has gone, or nothing can come any more.
final class TailLoop {
  private let sources: [any ViewSource]
  private let printer: TailPrinter
  private var pace = ViewPace()

  init(_ sources: [any ViewSource], _ printer: TailPrinter) {
    self.sources = sources
    self.printer = printer
  }

  /// - Parameters:
  ///   - lines: how many lines to begin with; nil: all.
  ///   - follows: whether to wait for more.
  func run(lines: Int?, follows: Bool) throws(LogError) {
    Interruption.watch()
    try begin(lines)
    if !follows { return finish(lines) }
    while !Interruption.hasCome, printer.hasReader, !sources.allSatisfy(\.isFinished) {
      let items = look()
      printer.show(items)
      pace.note(isBusy: sources.contains { $0.isBusy })
      wait()
    }
  }

  private func begin(_ lines: Int?) throws(LogError) {
    var items: [ViewItem] = []
    for source in sources { items += try source.backlog(lines) }
    items.sortByTime()
    if let lines { items = Array(items.suffix(lines)) }
    printer.show(items)
  }

  private func look() -> [ViewItem] {
    let moment = RingObserver.moment()
    var items: [ViewItem] = []
    for source in sources { items += source.look(until: moment) }
    items.sortByTime()
    return items
  }

  /// Until a pipe has something, the reader goes away, a signal comes, or it is time to look again.
  private func wait() {
    var states = [pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)]
    states += sources.compactMap(\.descriptor).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    unsafe _ = poll(&states, nfds_t(states.count), Int32(pace.milliseconds))
    if states[0].revents & Int16(POLLERR) != 0 { printer.readerIsGone() }
  }

  // MARK: without following

  /// Shows whole files, merged by time while they are read; of a pipe, what comes until its end. What was in rings has been shown.
  private func finish(_ lines: Int?) {
    var last: [ViewItem] = []
    merge { items in
      if let lines { last = Array((last + items).suffix(lines)) } else { printer.show(items) }
    }
    printer.show(last)
  }

  private func merge(_ emit: ([ViewItem]) -> Void) {
    let files = sources.compactMap { $0 as? FileView }
    var queues = files.map { _ in ArraySlice<ViewItem>() }
    var open = Set(files.indices)
    while !Interruption.hasCome, printer.hasReader, !open.isEmpty || queues.contains(where: { !$0.isEmpty }) {
      for index in open where queues[index].isEmpty { read(files[index], into: &queues[index], &open, index) }
      var items: [ViewItem] = []
      // As long as each source that is not at its end shows what its next item is.
      while open.allSatisfy({ !queues[$0].isEmpty }), let oldest = Self.oldest(queues), items.count < 4096 {
        items.append(queues[oldest].removeFirst())
      }
      emit(items)
    }
  }

  private func read(_ file: FileView, into queue: inout ArraySlice<ViewItem>, _ open: inout Set<Int>, _ index: Int) {
    if let descriptor = file.descriptor {
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      unsafe _ = poll(&state, 1, 100)
    }
    queue = file.look(until: .max)[...]
    guard !file.isBusy, file.descriptor == nil else { return }
    queue += file.finishLine()
    open.remove(index)
  }

  private static func oldest(_ queues: [ArraySlice<ViewItem>]) -> Int? {
    queues.indices.filter { !queues[$0].isEmpty }.min { queues[$0].first?.time ?? 0 < queues[$1].first?.time ?? 0 }
  }
}

/// Prints items to standard output, one write for all that came together.
final class TailPrinter {
  private var view: ConsoleView?
  /// Counts records instead of showing them.
  private var groups: RecordGroups?
  private let output = OutputBuffer()
  /// False once the reader, a pager for instance, has gone: that is no error.
  private(set) var hasReader = true

  private static let mostAtOnce = 65_536

  /// - Parameter view: nil: JSON.
  init(_ view: ConsoleView?, groups: RecordGroups? = nil) {
    self.view = view
    self.groups = groups
  }

  /// Shows what was counted.
  func finish() {
    guard let groups else { return }
    for line in view == nil ? groups.groups.map(\.json) : groups.lines {
      output.append(string: line + "\n")
    }
    flush()
  }

  func show(_ items: [ViewItem]) {
    if groups != nil {
      for item in items { groups?.add(item) }
      return
    }
    // It may have been resized.
    view?.style.width = Terminal.width(of: STDOUT_FILENO)
    view?.prepare(for: items)
    for item in items {
      if view == nil { JSONView.append(item, to: output) } else { view?.append(item, to: output) }
      if output.count > Self.mostAtOnce { flush() }
    }
    flush()
  }

  func readerIsGone() { hasReader = false }

  private func flush() {
    if hasReader, unsafe Syscalls.writeAll(STDOUT_FILENO, output.bytes).error != nil { hasReader = false }
    output.removeAll()
  }
}

/// SIGINT and SIGTERM end a command between two lines, and with exit code 0; a reader that goes away is an error of `write` and no signal.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// The handler stores one flag, which is safe at any moment. It also ends a wait.
  static func watch() {
    for number in [SIGINT, SIGTERM] { signal(number) { _ in Interruption.flag.store(true, ordering: .relaxed) } }
    signal(SIGPIPE, SIG_IGN)
  }
}
