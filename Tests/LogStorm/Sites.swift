import TreeRing

/// Calls whose first record says everything, and whose later ones leave out what the call site has in common: in all the ways in which a call can be other
/// than it was the first time. Every record of one shape carries `shape`; its text and fields must be what the values say, whichever record of its site it is.
enum Sites {
  static func run() {
    let rounds = LogStorm.argument(2, default: 4)
    for round in 0..<rounds {
      usual(round)
      optional(round)
      array(round)
      conditional(round)
      nested(round)
      generic(round)
      runTimeKeys(round)
      outer(round)
      long(round)
      many(round)
      log.with { $0["context"] = round }.info("with context \(round, "round") end") { $0["shape"] = "context" }
      log.error("failed \(round, "round")", Failure.of(round)) { $0["shape"] = "error" }
      debug("channel \(round, "round") end") { $0["shape"] = "channel" }
      same(round)
      same(round + 100)
      oneSite(round)
    }
  }

  private static func usual(_ round: Int) {
    log.info("usual \(round, "round") of \("text \(round)", "text") is \(Double(round) / 2, "half") end") {
      $0["shape"] = "usual"
      $0["even"] = round.isMultiple(of: 2)
    }
  }

  private static func optional(_ round: Int) {
    let value: String? = round.isMultiple(of: 2) ? nil : "odd"
    log.info("optional \(value, "value") end \(round)") { $0["shape"] = "optional" }
  }

  private static func array(_ round: Int) {
    log.info("array \(Array(0..<round), "values") end \(round)") { $0["shape"] = "array" }
  }

  /// Fields that are there now and then, and fields in another order.
  private static func conditional(_ round: Int) {
    log.info("conditional \(round) end") {
      if round.isMultiple(of: 2) { $0["even"] = round }
      $0["shape"] = "conditional"
      if round % 3 == 1 { $0["one"] = "of three" }
      if round > 1 { $0["late"] = round }
    }
  }

  private static func nested(_ round: Int) {
    log.info("nested \(round) end") {
      $0["shape"] = "nested"
      $0.group("group") {
        $0["inner"] = round
        if round > 0 { $0.group("deeper") { $0["text"] = "deep \(round)" } }
      }
      $0["after"] = round
    }
  }

  /// One place in the source, values of several types.
  private static func generic(_ round: Int) {
    func write(_ value: some LogValue) { log.info("generic \(value, "value") end \(round)") { $0["shape"] = "generic" } }
    switch round % 4 {
    case 0: write(round)
    case 1: write("text")
    case 2: write([round, round])
    default: write(2.5)
    }
  }

  private static func runTimeKeys(_ round: Int) {
    log.info("run-time keys \(round) end") {
      $0["shape"] = "keys"
      for index in 0...round { $0.set("key \(round) \(index)", index) }
      $0["last"] = round
    }
    LogKey.withKey("key \(round)") { key in log.info("a key \(round, key) in the text end") { $0["shape"] = "key" } }
  }

  private static func outer(_ round: Int) {
    log.info("outer \(inner(round), "inner") end") { $0["shape"] = "outer" }
  }

  private static func inner(_ round: Int) -> Int {
    log.notice("inner \(round, "round") end") { $0["shape"] = "inner" }
    return round
  }

  /// Too large for a record now and then.
  private static func long(_ round: Int) {
    let text = String(repeating: "long ", count: round.isMultiple(of: 2) ? 2 : 20_000)
    log.info("cut \(text, "text") end") {
      $0["shape"] = "long"
      $0["after"] = round
    }
  }

  /// More pieces than a site has slots.
  private static func many(_ round: Int) {
    log.info(
      "many \(round, "a") \(1, "b") \(2, "c") \(3, "d") \(4, "e") \(5, "f") \(6, "g") \(7, "h") \(8, "i") \(9, "j") \(10, "k") \(11, "l") \(12, "m") \(13, "n") \(14, "o") \(round, "p") end"
    ) { $0["shape"] = "many" }
  }

  /// Two calls on one line.
  private static func same(_ round: Int) {
    log.info("one \(round, "one")") { $0["shape"] = "same" }; log.info("two \(round, "two")") { $0["shape"] = "same" }
  }

  /// Calls that differ, at one place in the source, as the calls in a macro's expansion stand at one.
  private static func oneSite(_ round: Int) {
    func call(_ text: @autoclosure () -> LogText, _ shape: String) {
      log.log(.info, text(), file: "Macro.swift", line: 1, column: 1) { $0["shape"] = shape }
    }
    call("first \(round, "round") end", "macro 1")
    call("second", "macro 2")
    call("first \(round, "other")", "macro 3")
    call("\(round, "round") first ", "macro 4")
    call("", "macro 5")
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
    static func of(_ round: Int) -> Failure? { round == 1 ? nil : Failure(description: "failure \(round)") }
  }
}
