import CTreeRing
import Glibc

/// Shows what processes log, from their rings: those of a directory, as they come and go, or named ones.
///
/// New processes are found by a watch on the directory, so that one that lives for some milliseconds is seen, too, and by listing it four times a second. What a process
/// logs before it is found is not missed by that: its ring still holds it.
package final class RingsView: ViewSource {
  private let directory: String?
  private let filter: ViewFilter
  private let formatter: JSONFormatter?
  private let keepsTemplates: Bool
  private let output = OutputBuffer()
  private var observers: [String: RingObserver] = [:]
  /// What has not been told yet of each process: told once a second, for a storm has enough lines of its own.
  private var untold: [String: (missed: UInt64, dropped: UInt64, since: UInt64)] = [:]
  /// Files that are not looked at: ended, refused, or of a process that is not wanted.
  private var finished: Set<String> = []
  /// inotify(7); nil while there is no directory, or no more watches are to be had.
  private var watch: Int32?
  private var listed: UInt64 = 0
  private var problem: String?
  package private(set) var isBusy = false
  /// Whether some file or the directory was refused.
  package private(set) var hasRefused = false

  private static let listingPeriod: UInt64 = 250_000_000
  private static let tellingPeriod: UInt64 = 1_000_000_000

  /// Shows every ring file in a directory, which need not be there yet.
  package init(directory: String, filter: ViewFilter, keepsJSON: Bool, keepsTemplates: Bool = false) {
    self.directory = directory
    self.keepsTemplates = keepsTemplates
    self.filter = filter
    formatter = keepsJSON ? JSONFormatter() : nil
  }

  /// Shows one ring file.
  ///
  /// - Throws: ``LogError`` when it is none, or is somebody else's.
  package init(
    file: String, filter: ViewFilter, keepsJSON: Bool, keepsTemplates: Bool = false
  ) throws(LogError) {
    directory = nil
    self.keepsTemplates = keepsTemplates
    self.filter = filter
    formatter = keepsJSON ? JSONFormatter() : nil
    do { observers[file] = try RingObserver(path: file, from: .backlog) } catch { throw LogError("\(error)") }
  }

  deinit { if let watch { close(watch) } }

  package var descriptor: Int32? { watch }

  /// A directory waits for processes that may come; named files end.
  package var isFinished: Bool { directory == nil && observers.isEmpty }

  package func backlog(_ limit: Int?) throws(LogError) -> [ViewItem] {
    var items: [ViewItem] = []
    let moment = RingObserver.moment()
    if let directory, try RingDirectory.exists(directory) {
      try RingDirectory.check(directory)
      discover(&items, from: .backlog)
    }
    for path in observers.keys.sorted() {
      look(path, until: moment, &items)
      items.sortByTime()
      // Of each process no more is kept than can be shown.
      if let limit { items = Array(items.suffix(limit)) }
    }
    return items
  }

  package func look(until moment: UInt64) -> [ViewItem] {
    var items: [ViewItem] = []
    isBusy = false
    if isListingDue(at: Syscalls.now(CLOCK_MONOTONIC)) { discover(&items, from: .beginning) }
    for path in observers.keys.sorted() { look(path, until: moment, &items) }
    items.sortByTime()
    return items
  }

  // MARK: processes come

  private func isListingDue(at now: UInt64) -> Bool {
    guard let directory else { return false }
    if watch == nil {
      let descriptor = unsafe tr_watch_directory(directory)
      // What came before the watch, no event tells.
      if descriptor >= 0 { (watch, listed) = (descriptor, 0) }
    }
    // The directory may have been replaced by another, so the watch is not relied on.
    guard hasEvents() || now &- listed >= Self.listingPeriod else { return false }
    listed = now
    // One that cannot be looked at is told by the listing.
    return (try? RingDirectory.exists(directory)) != false
  }

  /// Whether a file has come since the last look. What it was, the listing shows.
  private func hasEvents() -> Bool {
    guard let watch else { return false }
    var events = [UInt8](repeating: 0, count: 4096)
    var hasCome = false
    while case let count = unsafe read(watch, &events, events.count), count > 0 { hasCome = true }
    return hasCome
  }

  private func discover(_ items: inout [ViewItem], from start: RingObserver.Start) {
    guard let directory else { return }
    do {
      try RingDirectory.check(directory)
      let paths = try RingDirectory.files(in: directory)
      finished.formIntersection(paths)
      for path in paths where observers[path] == nil && !finished.contains(path) { attach(path, &items, from: start) }
      problem = nil
    } catch {
      // It may have been removed since it was seen: then it may come again.
      guard (try? RingDirectory.exists(directory)) != false, problem != error.description else { return }
      problem = error.description
      hasRefused = true
      tell(.refused(error.description), directory, nil, &items)
    }
  }

  private func attach(_ path: String, _ items: inout [ViewItem], from start: RingObserver.Start) {
    do {
      let observer = try RingObserver(path: path, from: start)
      guard filter.pids.isEmpty || filter.pids.contains(observer.pid) else {
        finished.insert(path)
        return
      }
      observers[path] = observer
      isBusy = true
      guard case .beginning = start else { return }
      items.append(
        .notice(ViewNotice(.began, time: observer.began, subject: observer.program, pid: observer.pid)))
    } catch .gone {
      // Its process has ended, and removed it.
    } catch {
      finished.insert(path)
      hasRefused = true
      tell(.refused("\(error)"), "cannot follow:", nil, &items)
    }
  }

  // MARK: processes log, and go

  private func look(_ path: String, until moment: UInt64, _ items: inout [ViewItem]) {
    guard let observer = observers[path] else { return }
    var (missed, dropped): (UInt64, UInt64) = (0, 0)
    let standing = unsafe observer.look(until: moment) { sight in
      isBusy = true
      switch unsafe sight {
      case .record(let record, let context): unsafe show(record, context, &items)
      case .missed(let count, _): missed &+= count
      case .dropped(let count): dropped &+= count
      case .unreadable: break
      }
    }
    tellLosses(of: observer, missed, dropped, isLast: standing != .running, &items)
    switch standing {
    case .running: return
    case .closed: tell(.closed, observer.program, observer.pid, &items)
    case .died(let unread): tell(.died(unread: unread), observer.program, observer.pid, &items)
    case .unreadable: tell(.unreadable, observer.program, observer.pid, &items)
    }
    observers[path] = nil
    finished.insert(path)
  }

  private func tellLosses(
    of observer: RingObserver, _ missed: UInt64, _ dropped: UInt64, isLast: Bool, _ items: inout [ViewItem]
  ) {
    let now = Syscalls.now(CLOCK_MONOTONIC)
    var losses = untold[observer.path] ?? (0, 0, now)
    losses.missed &+= missed
    losses.dropped &+= dropped
    guard losses.missed > 0 || losses.dropped > 0 else { return }
    untold[observer.path] = losses
    guard isLast || now &- losses.since >= Self.tellingPeriod else { return }
    untold[observer.path] = nil
    if losses.missed > 0 { tell(.missed(losses.missed), observer.program, observer.pid, &items) }
    if losses.dropped > 0 { tell(.dropped(losses.dropped), observer.program, observer.pid, &items) }
  }

  private func show(_ record: RecordView, _ context: RecordContext, _ items: inout [ViewItem]) {
    // Without a label of the table, the record carries its own.
    if let label = unsafe context.label, unsafe !filter.passes(level: record.level, label: label) { return }
    let log = unsafe RecordedLog(record, context, keepsTemplate: keepsTemplates)
    let viewed = unsafe ViewedRecord(log, pid: context.pid)
    guard unsafe context.label == nil ? filter.passes(viewed) : filter.passesContent(viewed.log) else { return }
    items.append(.record(unsafe withJSON(viewed, record, context)))
  }

  private func withJSON(_ viewed: ViewedRecord, _ record: RecordView, _ context: RecordContext) -> ViewedRecord {
    guard let formatter else { return viewed }
    var viewed = viewed
    output.removeAll()
    unsafe formatter.append(record, context, to: output)
    viewed.json = unsafe Array(output.bytes.dropLast())
    return viewed
  }

  private func tell(_ kind: ViewNotice.Kind, _ subject: String, _ pid: UInt32?, _ items: inout [ViewItem]) {
    items.append(.notice(ViewNotice(kind, time: Syscalls.now(CLOCK_REALTIME), subject: subject, pid: pid)))
  }
}
