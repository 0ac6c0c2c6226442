import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A channel that nothing in this program ever calls.
enum NeverTouched {
  static let channel = DebugChannel("catalog:static", "for a test of the catalog")
}
private let hiddenChannel = DebugChannel("catalog:private")

/// The list of a program's channels comes from the program's own file.
@Suite struct DebugCatalogTests {
  @Test func findsChannelsThatWereNeverTouched() throws {
    let entries = DebugCatalog.ofThisProcess().entries
    let channel = try #require(entries.first { $0.name == "catalog:static" })
    #expect(channel.about == "for a test of the catalog")
    #expect(channel.variables.contains("TreeRingTests.NeverTouched.channel"), "\(channel)")
    let hidden = try #require(entries.first { $0.name == "catalog:private" })
    #expect(hidden.variables == ["TreeRingTests.hiddenChannel"] || !hidden.calls.isEmpty, "\(hidden)")
  }

  @Test func findsChannelsMadeAtRunTime() {
    let name = "catalog:\(UUID())"
    #expect(!DebugCatalog.ofThisProcess().entries.contains { $0.name == name })
    _ = DebugChannel(name).extend("pool")
    let names = DebugCatalog.ofThisProcess().entries.map(\.name)
    #expect(names.contains(name) && names.contains(name + ":pool"))
  }

  /// Of a channel in a property or an argument no file tells; its gate does, from its first call on.
  @Test func findsChannelsThatWereCalled() {
    let (first, second): (LogKey, LogKey) = ("catalog:called", "catalog:called:too")
    #expect(!CalledChannels.names.contains("catalog:called"))
    Gates.channels.set(first, label: 0, threshold: Gates.closed)
    Gates.channels.set(second, label: 0xFFFF, threshold: Level.debug.rawValue)
    Gates.channels.set(NameTable.shared.intern("catalog:made"), label: 1, threshold: Gates.closed)
    let names = CalledChannels.names
    #expect(Set(names).isSuperset(of: ["catalog:called", "catalog:called:too", "catalog:made"]), "\(names)")
    #expect(DebugCatalog.ofThisProcess().entries.contains { $0.name == "catalog:called" })
  }

  /// As npm's debug does: what a reader takes for the same name may be two.
  @Test func namesAreTheirBytes() {
    let (composed, decomposed) = ("catalog:\u{E9}", "catalog:e\u{301}")
    let keys = [composed, decomposed, composed, decomposed].map(NameTable.shared.intern)
    unsafe #expect(keys[0].start == keys[2].start && keys[1].start == keys[3].start, "each is kept once")
    unsafe #expect(keys[0].start != keys[1].start)
    _ = [DebugChannel(composed), DebugChannel(decomposed)]
    let names = NamedChannels.shared.all.map { Array($0.name.utf8) }
    #expect(names.contains(Array(composed.utf8)) && names.contains(Array(decomposed.utf8)))
  }

  /// Any bytes: a shorter list, and nothing else.
  @Test func aDamagedFileIsSurvived() throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator("damaged program")
    let whole = try Data(contentsOf: URL(fileURLWithPath: BuiltProducts.program("LogStorm")))
    let path = directory.file("program")
    for round in 0..<environment("TREERING_ELF_CASES", default: 40) {
      var data = round % 4 == 0 ? whole.prefix(Int.random(in: 0..<whole.count, using: &random)) : whole
      for _ in 0..<Int.random(in: 1...64, using: &random) where data.count > 4096 {
        // Half of them where it hurts: the header, the segments, and the table of sections at the end.
        let near = Bool.random(using: &random)
        let range = near ? 0..<1024 : max(0, data.count - 4096)..<data.count
        data[Int.random(in: range, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      try data.write(to: URL(fileURLWithPath: path))
      var catalog = DebugCatalog()
      catalog.add(filesAt: path)
      #expect(catalog.entries.count < 100, "seed \(random.seed)")
    }
    for content in ["", "x", "\u{7F}ELF\u{2}\u{1}", String(repeating: "\u{7F}ELF\u{2}\u{1}", count: 100)] {
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      var catalog = DebugCatalog()
      catalog.add(filesAt: path)
      #expect(catalog.entries == [])
    }
  }

  @Test func theListHasWhatIsKnown() {
    var catalog = DebugCatalog()
    catalog.add(filesAt: BuiltProducts.program("LogStorm"))
    let listing = DebugListing(catalog, DebugFilter(parsing: "storm:*,-storm:debug")) { _ in nil }
    #expect(listing.rows.first { $0.name == "storm:debug" }?.isOn == false)
    let on = DebugListing(catalog, DebugFilter(parsing: "storm:*"))
    #expect(on.rows.first { $0.name == "storm:debug" }.map { [$0.reason, "\($0.isOn)"] } == ["storm:*", "true"])
    #expect(on.lines().contains { $0.hasPrefix("  storm:debug") && $0.contains(" on ") && $0.contains("LogStorm") })
    let byHand = DebugListing(catalog, .off) { $0 == "storm:debug" ? true : nil }
    #expect(byHand.rows.first { $0.name == "storm:debug" }?.reason == "by hand")
  }

  /// The program of the test: it is asked for its list, prints it before anything else, and runs on. Its channel is never called in this mode.
  @Test func aQuestionMarkListsAndTheProgramRunsOn() throws {
    let run = try StormRun(["DEBUG": "?"])
    try run.finish("deep")
    let errors = try String(contentsOfFile: run.directory.file("errors"), encoding: .utf8)
    #expect(errors.hasPrefix("debug channels of LogStorm (switch on with DEBUG="), "\(errors)")
    #expect(
      errors.split(separator: "\n").contains { $0.hasPrefix("  storm:debug ") && $0.contains(" off ") }, "\(errors)")
    #expect(try run.records().contains { $0.logger == "storm" }, "the program ran on")
  }

  /// Of a program without its symbols a debug build knows only what it has made; it says so, and runs on.
  @Test func aStrippedDebugBuildSaysWhatItLacks() throws {
    guard unsafe access("/usr/bin/strip", X_OK) == 0 else { return print("not run: there is no strip") }
    let run = try StormRun(["DEBUG": "?"])
    let program = run.directory.file("stripped")
    let strip = try ChildProcess("/usr/bin/strip", ["-o", program, BuiltProducts.program("LogStorm")])
    #expect(strip.wait() == .exit(0))
    let errors = run.directory.file("errors")
    let child = try ChildProcess(program, ["deep"], environment: run.environment, errors: errors)
    #expect(child.wait() == .exit(0), "\(child.errors)")
    #expect(child.errors.hasPrefix("debug channels of stripped (switch on with DEBUG="), "\(child.errors)")
    #expect(try run.records().contains { $0.logger == "storm" }, "the program ran on")
  }

  @Test func aPatternThatMatchesNothingIsToldOnce() throws {
    let run = try StormRun(["DEBUG": "strom:*"])
    try run.finish("levels")
    let errors = try String(contentsOfFile: run.directory.file("errors"), encoding: .utf8)
    #expect(
      errors == "treering: DEBUG: strom:* matches no channel known yet; did you mean storm:*? DEBUG=? lists them\n")
  }
}
