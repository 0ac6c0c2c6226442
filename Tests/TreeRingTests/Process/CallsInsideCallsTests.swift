import TestSupport
import Testing

/// An argument of a log call may log, and so may a signal handler.
@Suite struct CallsInsideCallsTests {
  @Test func bothRecordsStayWhole() throws {
    let run = try StormRun()
    try run.finish("nested", "200")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let outer = account.records.filter { $0["outer.number"] != nil }
    let inner = account.records.filter { $0["inner.number"] != nil }
    let field = account.records.filter { $0["field.number"] != nil }
    #expect([outer.count, inner.count, field.count, account.records.count] == [200, 200, 200, 600])
    for (number, record) in outer.enumerated() {
      #expect(record.msg == "outer \(number) value \(number) end")
      #expect(record.integer("outer.number") == number)
      #expect(record["outer.inner"] as? String == "value \(number)")
      #expect(record.integer("outer.field") == number * 2)
      #expect(record["outer.after"] as? String == "whole")
      #expect(record["inner.text"] == nil && record.level == "info")
    }
    for (number, record) in inner.enumerated() {
      #expect(record.msg == "inner \(number)" && record.level == "notice")
      #expect(record.integer("inner.number") == number && record["inner.text"] as? String == "of its own")
      #expect(record["outer.number"] == nil)
    }
    for (number, record) in field.enumerated() {
      #expect(record.msg == "field \(number)" && record.integer("field.number") == number)
    }
  }

  /// Four calls deep; the fifth is dropped, and told, and its arguments are not evaluated.
  @Test func depthIsLimitedAndCounted() throws {
    let run = try StormRun()
    try run.finish("deep", "10", "3")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    for depth in 0..<10 {
      let records = account.records.filter { $0.integer("depth") == depth }
      #expect(records.count == (depth < 4 ? 3 : 0), "depth \(depth)")
      #expect(records.allSatisfy { $0.msg == "depth \(depth) reached 10" && $0.integer("reached") == 10 })
    }
    let drops = try run.records().filter { $0.msg == "records dropped" }
    #expect(drops.allSatisfy { $0["treering.cause"] as? String == "calls nested too deep" })
    #expect(account.rings.values.reduce(0) { $0 + $1.dropped } == 3)
    #expect(account.records.last?.msg == "afterwards")
  }

  @Test func storedMessagesAreWholeWheneverTheyAreLogged() throws {
    let run = try StormRun()
    try run.finish("stored")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let kept = account.records.filter { $0.msg == "kept 17 and text" }
    #expect(kept.map(\.level) == ["info", "error", "info"])
    #expect(kept.allSatisfy { $0.integer("number") == 17 && $0["text"] as? String == "text" })
    #expect(kept.map { $0["again"] as? Bool } == [nil, true, nil])
    let messages = account.records.map { $0.msg ?? "" }
    for text in [
      "between", "returning 23", "returned 23", "returning 42", "returned 42", "around 1", "no values",
      "made at run time", "outer true",
    ] { #expect(messages.filter { $0 == text }.count == 1, "\(text)") }
    #expect(account.records.first { $0.msg == "returned 23" }?.integer("number") == 23)
    #expect(account.records.first { $0.msg == "around 1" }?.integer("inner") == 1)
    // 20,000 bytes fit no record of a ring of this size twice, as text and as field they are one segment.
    let long = try #require(account.records.first { $0.msg?.hasPrefix("long ") == true })
    #expect(long.msg == "long " + String(repeating: "long ", count: 4_000))
    #expect(long["long"] as? String == String(repeating: "long ", count: 4_000))
    #expect(long["treering.truncated"] == nil)
  }

  @Test func signalHandlersLog() throws {
    let run = try StormRun(["TREERING_RING_SIZE": "4MiB"])
    let child = try run.start("signals", "\(environment("TREERING_SIGNAL_MILLISECONDS", default: 300))")
    let output = try #require(child.readLine(), "no end: a deadlock?").split(separator: " ").compactMap { Int($0) }
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let (calls, signals, during) = (output[0], output[1], output[2])
    #expect(during > 10, "\(during) of \(signals) signals found a call under way: this proves nothing")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let loop = account.records.filter { $0["loop.number"] != nil }
    let handler = account.records.filter { $0["signal.number"] != nil }
    for record in loop {
      let number = record.integer("loop.number") ?? -1
      if record.msg != "loop \(number) \(number) end" || record.integer("loop.half") != number
        || record["loop.text"] as? String != "whole" || record["treering.truncated"] != nil
      {
        Issue.record("\(record)")
      }
    }
    for record in handler {
      let number = record.integer("signal.number") ?? -1
      if record.msg != "signal \(number)" || record["signal.text"] as? String != "whole, too" {
        Issue.record("\(record)")
      }
    }
    let dropped = account.rings.values.reduce(account.lost) { $0 + $1.dropped }
    #expect(loop.count + handler.count + dropped == calls + signals)
    #expect(Set(loop.map { $0.integer("loop.number") }).count == loop.count)
    #expect(Set(handler.map { $0.integer("signal.number") }).count == handler.count)
  }
}
