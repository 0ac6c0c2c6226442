import TreeRing

/// Messages that are kept, returned, passed on, and logged later, twice, or from another message's text.
enum Stored {
  static func run() {
    let kept: LogMessage = "kept \(17, "number") and \("text", "text")"
    log.info("between")
    log.info(kept)
    log.error(kept) { $0["again"] = true }
    log.info(returned(23))
    log.info("around \(describe(returned(42)), "inner")")
    let plain: LogMessage = "no values"
    log.info(plain)
    log.info(LogMessage("made at \("run", "ignored") time"))
    log.info("outer \(logging(kept), "outer")")
    let escaped = String(repeating: "long ", count: 4_000)
    let long: LogMessage = "long \(escaped, "long")"
    log.info(long)
  }

  private static func returned(_ number: Int) -> LogMessage {
    log.notice("returning \(number, "number")")
    return "returned \(number, "number")"
  }

  private static func describe(_ message: LogMessage) -> Int {
    log.info(message)
    return 1
  }

  private static func logging(_ message: LogMessage) -> Bool {
    log.info(message)
    return true
  }
}
