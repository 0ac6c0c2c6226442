import CBenchmark
import Logging
import TreeRing

/// One handler of swift-log with one kind of call.
struct SwiftLogSubject {
  let handler: Handler
  let kind: Kind

  enum Handler: String, CaseIterable {
    case noOp = "no-op"
    case treeRing = "treering"
    case stream

    var title: String {
      switch self {
      case .noOp: "no-op"
      case .treeRing: "TreeRing"
      case .stream: "StreamLogHandler"
      }
    }

    /// What its calls read; the clock of `StreamLogHandler` is the least of it.
    var clock: BMClock { self == .treeRing ? BM_CLOCK_TICKS : BM_CLOCK_NONE }
  }

  enum Kind: String, CaseIterable {
    /// A message with three values in it.
    case message = ""
    /// A message without values.
    case literal = "-literal"
    /// Three values as metadata of the call.
    case metadata = "-metadata"
    /// A message without values, and three values as metadata that the logger was given once.
    case context = "-context"

    var title: String { self == .message ? "" : ", \(rawValue.dropFirst())" }
  }

  /// `swift-log-HANDLER-KIND`, without the last part for ``Kind/message``.
  init?(named name: String) {
    for handler in Handler.allCases {
      for kind in Kind.allCases where name == "swift-log-\(handler.rawValue)\(kind.rawValue)" {
        self.init(handler: handler, kind: kind)
        return
      }
    }
    return nil
  }

  init(handler: Handler, kind: Kind) {
    self.handler = handler
    self.kind = kind
  }

  var title: String { "swift-log \(handler.title)\(kind.title)" }

  func run(_ folder: Folder) throws {
    switch handler {
    case .noOp: measure("", {})
    case .treeRing:
      try folder.startTreeRing()
      measure(folder.log, { LogSystem.flush() })
      CallSiteBenchmark.expectNoDrops()
    case .stream:
      unsafe folder.log.withCString { unsafe bm_redirect_output($0) }
      measure(folder.log, {})
    }
  }

  /// The whole protocol for a message with values, which is what other loggers are measured by; the rest in a row, which is enough to compare handlers.
  private func measure(_ file: String, _ flush: @convention(c) () -> Void) {
    let (burst, clock, isWhole) = (burst, handler.clock, kind == .message && handler != .noOp)
    unsafe title.withCString { name in
      unsafe file.withCString { file in
        let subject = unsafe BMSubject(name: name, burst: burst, flush: flush, path: file, clock: clock)
        if isWhole { unsafe bm_enabled(subject) } else { unsafe bm_enabled_in_a_row(subject) }
      }
    }
  }

  private var burst: @convention(c) (UInt32) -> Void {
    switch (handler, kind) {
    case (.noOp, .message): { SwiftLogCalls.message(noOpLog, $0) }
    case (.noOp, .literal): { SwiftLogCalls.literal(noOpLog, $0) }
    case (.noOp, .metadata): { SwiftLogCalls.metadata(noOpLog, $0) }
    case (.noOp, .context): { SwiftLogCalls.literal(noOpLogWithContext, $0) }
    case (.treeRing, .message): { SwiftLogCalls.message(treeRingLog, $0) }
    case (.treeRing, .literal): { SwiftLogCalls.literal(treeRingLog, $0) }
    case (.treeRing, .metadata): { SwiftLogCalls.metadata(treeRingLog, $0) }
    case (.treeRing, .context): { SwiftLogCalls.literal(treeRingLogWithContext, $0) }
    case (.stream, .message): { SwiftLogCalls.message(streamLog, $0) }
    case (.stream, .literal): { SwiftLogCalls.literal(streamLog, $0) }
    case (.stream, .metadata): { SwiftLogCalls.metadata(streamLog, $0) }
    case (.stream, .context): { SwiftLogCalls.literal(streamLogWithContext, $0) }
    }
  }
}
