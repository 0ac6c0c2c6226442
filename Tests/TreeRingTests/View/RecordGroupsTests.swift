import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Records counted by what they have in common.
@Suite struct RecordGroupsTests {
  private func item(_ message: String, _ level: Level = .info, template: String? = nil) -> ViewItem {
    var log = RecordedLog(level: level, label: "shop", message: message)
    log.template = template
    return .record(ViewedRecord(log, pid: 7))
  }

  @Test(arguments: [
    ("order 17 placed", "order # placed"), ("took 12.5 ms, 3 of 4.", "took # ms, # of #."), ("v2 of a-17", "# of a-#"),
    ("user \"Ada L\" is new", "user \"…\" is new"), ("cannot open '/etc/x': denied", "cannot open '…': denied"),
    ("it's Ada's 3rd", "it's Ada's #"), ("an open \"quote", "an open \"quote"), ("", ""), ("päyload ü1", "päyload #"),
    ("9f0c3a from 10.0.0.1:80", "# from #:#"), ("\"\" and ''", "\"…\" and '…'"),
  ])
  func whatDiffersIsGuessed(message: String, template: String) {
    #expect(RecordGroups.template(of: message) == template)
  }

  @Test func theMostFrequentComesFirst() {
    var groups = RecordGroups()
    for number in 0..<12 { groups.add(item("order \(number) placed", template: "order {id} placed")) }
    for number in 0..<3 { groups.add(item("order \(number) failed", .error)) }
    for _ in 0..<3 { groups.add(item("other \u{1B}[2J", .debug)) }
    groups.add(.line(Array("no record".utf8), time: 0))
    groups.add(.notice(ViewNotice(.rotated, time: 0, subject: "a")))
    #expect(groups.groups.map(\.count) == [12, 3, 3] && groups.groups.map(\.level) == [.info, .error, .debug])
    #expect(
      groups.lines == [
        "count  level     text", "   12  info      order {id} placed", "    3  error     order # failed",
        "    3  debug     other ?[#",
      ])
    #expect(groups.groups[1].json == #"{"count":3,"level":"error","template":"order # failed"}"#)
  }

  @Test func tooManyTextsShareAGroup() {
    var groups = RecordGroups()
    for number in 0..<RecordGroups.most + 50 { groups.add(item("", template: "text {\(number)}")) }
    #expect(groups.groups.count == RecordGroups.most + 1)
    #expect(groups.groups.first?.template == "(other texts)" && groups.groups.first?.count == 50)
  }

  /// From a ring, the text that the call has in the source; live, and of a record that was its call's first.
  @Test func aRingKnowsTheTextInTheSource() throws {
    let run = try StormRun()
    let child = try run.start("control", "600000")
    #expect(child.readLine() == "ready", "\(child.errors)")
    let ring = try #require(run.ringFiles.first)
    let view = try RingsView(
      file: run.directory.file("rings") + "/" + ring, filter: ViewFilter(), keepsJSON: false, keepsTemplates: true)
    var groups = RecordGroups()
    for item in try view.backlog(nil) { groups.add(item) }
    #expect(groups.groups == [.init(template: "begins", level: .notice, count: 1)])
    let target = try #require(ControlClient.targets(in: run.directory.file("rings")).first)
    _ = try ControlClient.ask(target, .enable("control:*", forSeconds: nil))
    for _ in 0..<12_000 where !groups.groups.contains(where: { $0.template == "tick {number}" && $0.count > 1 }) {
      for item in view.look(until: .max) { groups.add(item) }
      usleep(5000)
    }
    #expect(groups.groups.contains { $0.template == "tick {number}" && $0.count > 1 }, "\(groups.groups)")
  }
}
