import Testing

@testable import TreeRing

/// What npm `debug` 4.4.3 printed, byte for byte, with a frozen clock: every row that is about us is built and compared. The others are named here, with the reason.
@Suite struct DebugOutputTests {
  /// The rows' programs, by their text in JavaScript.
  private static let programs: [String: @Sendable (inout Program) -> Void] = [
    "createDebug('app')('hello')": { $0.say("app", "hello") },
    "createDebug('app')('x')": { $0.say("app", "x") },
    "const d=createDebug('app');d('one');tick(42);d('two');tick(0);d('three')": {
      $0.say("app", "one")
      $0.tick(42)
      $0.say("app", "two")
      $0.say("app", "three")
    },
    "const d=createDebug('app');d('1');tick(100);createDebug.disable();d('hidden');tick(100);createDebug.enable('*');d('2')":
      {
        $0.say("app", "1")
        $0.tick(100)
        $0.enable(nil)
        $0.say("app", "hidden")
        $0.tick(100)
        $0.enable("*")
        $0.say("app", "2")
      },
    "createDebug('app')('')": { $0.say("app", "") },
    "createDebug('app')('one\\ntwo\\nthree')": { $0.say("app", "one\ntwo\nthree") },
    "createDebug('')('hello')": { $0.say("", "hello") },
    // Interpolation: a percent sign is one.
    "createDebug('app')('50%')": { $0.say("app", "50%") },
    "createDebug('app')('hi %s')": { $0.say("app", "hi %s") },
    "createDebug.disable();const d=createDebug('app');d.enabled=true;d('x');createDebug.enable('-app');d('y')": {
      $0.enable(nil)
      $0.override("app", true)
      $0.say("app", "x")
      $0.enable("-app")
      $0.say("app", "y")
    },
    "const d=createDebug('app');d.enabled=false;d('x');createDebug.enable('app');d('y');process.stdout.write(String(d.enabled))":
      {
        $0.override("app", false)
        $0.say("app", "x")
        $0.enable("app")
        $0.say("app", "y")
        $0.print("\($0.isOn("app"))")
      },
    "createDebug.enable('foo');createDebug.enable('bar');process.stdout.write(createDebug.enabled('foo')+','+createDebug.enabled('bar'))":
      {
        $0.enable("foo")
        $0.enable("bar")
        $0.print("\($0.isOn("foo")),\($0.isOn("bar"))")
      },
    "createDebug.disable();const d=createDebug('foo');d('1');createDebug.enable('foo');d('2');createDebug.disable();d('3')":
      {
        $0.enable(nil)
        $0.say("foo", "1")
        $0.enable("foo")
        $0.say("foo", "2")
        $0.enable(nil)
        $0.say("foo", "3")
      },
    // Of the channel object's properties those that we have: on, the colour of its name, colours at all.
    "const d=createDebug('app');d.enabled=false;d.color=1;d.useColors=false;const e=d.extend('db');process.stdout.write([e.enabled,e.color,e.useColors].join())":
      {
        $0.override("app", false)
        $0.print("\($0.isOn("app:db")),\(DebugColor(for: "app:db", in: .basic).code),\($0.hasColours)")
      },
    // Where npm writes into its environment, we tell the filter; nothing on is nothing set.
    "createDebug.enable('a:* -a:b  c');const s=createDebug.disable();process.stdout.write(s+'|'+createDebug.enabled('c')+'|'+process.env.DEBUG);createDebug.enable(s);process.stdout.write('|'+createDebug.enabled('a:x')+createDebug.enabled('a:b')+createDebug.enabled('c')+'|'+process.env.DEBUG)":
      {
        $0.enable("a:* -a:b  c")
        let spec = $0.spec
        $0.enable(nil)
        $0.print("\(spec)|\($0.isOn("c"))|\($0.spec.isEmpty ? "undefined" : $0.spec)")
        $0.enable(spec)
        $0.print("|\($0.isOn("a:x"))\($0.isOn("a:b"))\($0.isOn("c"))|\($0.spec)")
      },
    "createDebug.enable('oops[');createDebug('oops[')('ok')": {
      $0.enable("oops[")
      $0.say("oops[", "ok")
    },
  ]

  /// Rows that we do not repeat, by the reason.
  private static let leftOut: [(why: String, rows: Set<String>)] = [
    (
      "printf only: formats, their arguments and custom formatters, where we have interpolation",
      [
        "o020", "o021", "o026", "o028", "o029", "o030", "o032", "o033", "o044", "o046", "o047", "o048", "o052", "o053",
        "o058", "o060", "o061", "o070", "o071", "o078", "o086", "o087", "o088",
      ]
    ),
    (
      "a known bug: what stands in a value or a name is formatted again, or swallows the interval",
      ["o024", "o025", "o057", "o064"]
    ),
    (
      "a known bug: line feeds and escape sequences pass through, so that a value can make up a line",
      ["o012", "o014", "o016", "o017", "o018", "o072", "o074", "o075"]
    ),
    ("ours: channels of one name are one channel, and have one clock", ["o006"]),
    ("ours: NO_COLOR and TERM=dumb are honoured", ["o120", "o124"]),
    (
      "JavaScript: properties of the channel object (color, useColors, log)",
      [
        "o128", "o129", "o130", "o132", "o133", "o134",
      ]
    ),
    ("JavaScript: what functions return and warn of, and process.env", ["o138", "o141", "o142", "o144"]),
  ]

  @Test func everyRowIsBuiltOrNamed() throws {
    let rows = try DebugCases.outputs()
    let built = rows.filter { Self.programs[$0.js] != nil && !Self.isLeftOut($0) }
    let named = Self.leftOut.flatMap(\.rows)
    #expect(Set(named).count == named.count)
    #expect(Set(built.map(\.id)).isDisjoint(with: named))
    #expect(Set(built.map(\.id)).union(named) == Set(rows.map(\.id)))
    #expect(built.count == 36)
  }

  private static func isLeftOut(_ row: DebugCases.Output) -> Bool { leftOut.contains { $0.rows.contains(row.id) } }

  @Test(arguments: try DebugCases.outputs())
  func printsWhatNpmPrints(row: DebugCases.Output) {
    guard let body = Self.programs[row.js], !Self.isLeftOut(row) else { return }
    var program = Program(row)
    body(&program)
    #expect(program.errors.debugDescription == row.stderr.debugDescription)
    #expect(program.output == row.stdout ?? "")
  }

  /// npm's program, in our terms.
  private struct Program {
    private let formatter: ConsoleFormatter
    let hasColours: Bool
    private var policy: LogPolicy
    /// 2026-01-02T03:04:05.678Z, and a little more than npm's clock can see.
    private var now: UInt64 = 1_767_323_045_678_000_999
    private(set) var errors = ""
    private(set) var output = ""

    init(_ row: DebugCases.Output) {
      let style = DebugStyle(colours: row.mode == "pty", hasManyColours: false) { row.env[$0] ?? nil }
      formatter = ConsoleFormatter(colours: row.mode == "pty", debug: style)
      hasColours = style.palette != nil
      policy = LogPolicy(level: .info, rules: [], filter: DebugFilter(parsing: row.env["DEBUG"] ?? nil))
    }

    mutating func tick(_ milliseconds: UInt64) { now += milliseconds * 1_000_000 }
    mutating func enable(_ spec: String?) { policy = policy.with(DebugFilter(parsing: spec)) }
    mutating func override(_ name: String, _ isOn: Bool) { policy = policy.overriding(key(name), isOn) }
    mutating func print(_ text: String) { output += text }
    var spec: String { policy.filter.spec }
    func isOn(_ name: String) -> Bool { policy.allowsChannel(key(name)) }

    mutating func say(_ name: String, _ text: String) {
      guard isOn(name) else { return }
      let record = EncodedRecord(level: .debug, flags: RecordFlags.channel, { "\(text)" })
      errors += String(decoding: record.formatted(by: formatter, label: name, time: now) ?? [], as: UTF8.self)
    }

    private func key(_ name: String) -> LogKey { NameTable.shared.intern(name) }
  }

  // MARK: beyond the rows

  private func line(_ style: DebugStyle, _ name: String = "app") -> String {
    let record = EncodedRecord(level: .debug, flags: RecordFlags.channel, { "x" }) { $0["rows"] = 7 }
    let bytes = record.formatted(by: ConsoleFormatter(colours: false, debug: style), label: name, time: 0) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }

  private func style(_ variables: [String: String], colours: Bool = true, many: Bool = true) -> DebugStyle {
    DebugStyle(colours: colours, hasManyColours: many) { variables[$0] }
  }

  /// The form of npm's row o129, for the colour that npm's palette has for the name.
  @Test func aTerminalWithManyColoursGetsThem() {
    let code = DebugColor(for: "app", in: .extended).code
    #expect(code > 7)
    let ink = "\u{1B}[38;5;\(code)"
    #expect(line(style([:])) == "  \(ink);1mapp \u{1B}[0mx  rows=7 \(ink)m+0ms\u{1B}[0m\n")
    #expect(line(style([:], many: false)).hasPrefix("  \u{1B}[34;1mapp "))
    // What is no terminal says nothing about colours.
    #expect(style(["DEBUG_COLORS": "1"], colours: false).palette == .basic)
  }

  @Test func variablesSayYesOrNoAsInNpm() {
    for (value, isYes) in [
      ("yes", true), ("ON", true), ("Enabled", true), ("1", true), ("0.5", true), ("-1", true), ("no", false),
      ("Off", false), ("false", false), ("DISABLED", false), ("0", false), ("", false), ("2 colours", false),
      ("nan", false), ("null", false),
    ] {
      #expect((style(["DEBUG_COLORS": value], colours: false).palette != nil) == isYes, "\(value)")
      #expect((style(["DEBUG_COLORS": value], colours: true).palette != nil) == isYes, "\(value)")
      #expect(style(["DEBUG_HIDE_DATE": value]).hidesDate == isYes, "\(value)")
    }
    #expect(style([:], colours: false) == style(["OTHER": "1"], colours: false))
  }

  @Test func theClockMayStepBack() {
    var intervals = DebugIntervals()
    let times: [UInt64] = [5_000_000, 4_000_000, 6_999_999, 8_000_000, 60_007_000_000]
    let texts = times.map { intervals.interval(of: "a", at: $0).description }
    #expect(texts == ["0ms", "0ms", "1ms", "2ms", "60s"])
    #expect(intervals.interval(of: "b", at: 1).description == "0ms", "each channel has its own")
  }

  @Test func namesThatAreMadeUpDoNotFillMemory() {
    var intervals = DebugIntervals()
    for number in 0..<10_000 { _ = intervals.interval(of: "name \(number)", at: 1_000_000) }
    #expect(intervals.interval(of: "name 9999", at: 3_000_000).description == "2ms")
    #expect(intervals.count <= 4096)
  }
}
