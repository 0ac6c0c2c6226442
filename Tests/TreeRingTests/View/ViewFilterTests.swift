import TestSupport
import Testing

@testable import TreeRing

/// What a view leaves out.
struct ViewFilterTests {
  private func record(
    _ level: Level = .info, _ label: String = "shop", _ message: String = "hello",
    _ fields: [String: RecordedValue] = [:],
    pid: UInt32 = 7
  ) -> ViewedRecord {
    let fields = fields.sorted { $0.key < $1.key }.map { RecordedLog.Field(key: $0.key, value: $0.value) }
    return ViewedRecord(RecordedLog(level: level, label: label, message: message, fields: fields), pid: pid)
  }

  @Test func levelsMayHaveExceptionsForLabels() throws {
    var filter = ViewFilter()
    let (level, rules) = try #require(LogConfiguration.parseLevels("warning,shop.db=debug,shop.=trace,http=error"))
    filter.level = try #require(level)
    filter.levels = rules
    let expected: [(Level, String, Bool)] = [
      (.info, "other", false), (.warning, "other", true), (.debug, "shop.db", true), (.trace, "shop.db", false),
      (.trace, "shop.cart", true), (.trace, "shop", true), (.trace, "shopping", false), (.warning, "http", false),
      (.error, "http", true),
    ]
    for (level, label, isShown) in expected {
      #expect(filter.passes(record(level, label)) == isShown, "\(level) \(label)")
    }
    #expect(!filter.passes(line: Array("plain".utf8)))
  }

  @Test func labelsAreInTheLanguageOfDebug() {
    var filter = ViewFilter()
    filter.labels = DebugFilter(parsing: "shop:*,-shop:cache")
    #expect(filter.passes(record(.info, "shop:db")) && !filter.passes(record(.info, "shop:cache")))
    #expect(!filter.passes(record(.info, "shop")) && !filter.passes(record(.info, "")))
  }

  @Test func processesAndTexts() {
    var filter = ViewFilter()
    filter.pids = [7, 8]
    #expect(filter.passes(record()) && !filter.passes(record(pid: 9)))
    filter.matchesText = { $0.contains("b=two") || $0.contains("shop hello") }
    #expect(filter.passes(record()))
    #expect(
      filter.passes(record(.info, "x", "y", ["b": "two"])) && !filter.passes(record(.info, "x", "y", ["b": "one"])))
    var plain = ViewFilter()
    #expect(plain.passes(line: Array("anything".utf8)))
    plain.matchesText = { $0.hasPrefix("any") }
    #expect(plain.passes(line: Array("anything".utf8)) && !plain.passes(line: Array("nothing".utf8)))
  }

  @Test(arguments: [
    ("status=500", true), ("status=5*", true), ("status!=500", false), ("status>499", true), ("status>500", false),
    ("status>=500", true), ("status<500", false), ("status<=500", true), ("status", true), ("none", false),
    ("none=1", false), ("none!=1", true), ("path=/shop/*", true), ("path=/shop", false), ("path>1", false),
    ("ratio<1", true), ("ratio=0.5", true), ("ok=true", true), ("ok=t*", true), ("tags=new", true), ("tags=old", false),
    ("user.name=Ada", true), ("user.name=B*", false), ("user.address.city=Rome", true), ("user.none", false),
    ("a.b=1", true), ("took>1", true), ("took<2", true), ("empty=", true), ("path=", false), ("query=a=b", true),
  ])
  func conditionsOnFields(text: String, holds: Bool) throws {
    let condition = try #require(FieldCondition(parsing: text))
    let fields: [String: RecordedValue] = [
      "status": 500, "path": "/shop/cart", "ratio": 0.5, "ok": true, "tags": ["new", "paid"], "a.b": 1, "empty": "",
      "user": ["name": "Ada", "address": ["city": "Rome"]], "took": .duration(.milliseconds(1500)), "query": "a=b",
    ]
    #expect(condition.holds(record(.info, "l", "m", fields).log) == holds)
  }

  @Test(arguments: ["", "=1", ">5", "status>many", "status<="])
  func conditionsThatMeanNothing(text: String) { #expect(FieldCondition(parsing: text) == nil) }
}

/// Lines of JSON, read back.
struct ViewedRecordTests {
  private func read(_ line: String) -> ViewedRecord? { ViewedRecord(line: Array(line.utf8), keepsJSON: true) }

  @Test func aRecordOfOursComesBack() throws {
    let encoded = EncodedRecord(level: .warning, sequence: 41, { "order \(17, "order.id") \("ä\"\n", "text")" }) {
      $0["list"] = [1, 2]
      $0.group("user") { $0["name"] = "Ada" }
      $0["pid"] = 5
    }
    let json = try #require(encoded.formatted(by: JSONFormatter(), time: 1_767_323_045_678_901_234))
    let record = try #require(ViewedRecord(line: Array(json.dropLast()), keepsJSON: true))
    #expect(record.log.level == .warning && record.log.label == "test" && record.log.message == "order 17 ä\"\n")
    #expect(record.log.nanosecondsSince1970 == 1_767_323_045_678_901_234 && record.pid == 1)
    #expect(
      record.log.values == [
        "order.id": 17, "text": "ä\"\n", "list": [1, 2], "user": ["name": "Ada"], "pid_": 5,
      ])
    #expect(record.json == Array(json.dropLast()))
  }

  @Test func channelsAndBunyanAreUnderstood() {
    let channel = read(#"{"time":"2026-01-02T03:04:05Z","level":"debug","ns":"shop:db","msg":"x"}"#)
    #expect(channel?.log.isDebugChannel == true && channel?.log.label == "shop:db")
    let bunyan = read(#"{"v":0,"time":"2026-01-02T03:04:05.5+01:00","level":50,"name":"shop","msg":"x","pid":3}"#)
    #expect(bunyan?.log.level == .error && bunyan?.pid == 3 && bunyan?.log["name"] == "shop" && bunyan?.log["v"] == 0)
    #expect(bunyan?.log.nanosecondsSince1970 == 1_767_319_445_500_000_000)
  }

  @Test(arguments: [
    "", "plain", "{}", "[1]", #"{"msg":"x"}"#, #"{"time":"now","level":"info","msg":"x"}"#,
    #"{"time":"2026-01-02T03:04:05Z","level":"loud","msg":"x"}"#,
    #"{"time":"2026-01-02T03:04:05Z","level":"info","msg":5}"#,
    #"{"time":"2026-01-02T03:04:05Z","level":"info","msg":"x"} "# + "x",
    #"{"time":"2026-01-02T03:04:05Z","level":"info","msg":"x""#,
  ])
  func otherLinesAreNotOurs(line: String) { #expect(read(line) == nil) }

  @Test func aRepeatedNameIsAField() {
    let record = read(#"{"time":"2026-01-02T03:04:05Z","level":"info","msg":"x","msg":"y","level":"error"}"#)
    #expect(record?.log.message == "x" && record?.log.level == .info && record?.log["msg"] == "y")
  }

  private static let values: [(String, RecordedValue)] = [
    ("\"\\u00e4\\ud83d\\ude00\\/\\t\"", RecordedValue.string("ä😀/\t")), ("\"\\ud83d\"", .string("\u{FFFD}")),
    ("\"\\ud83dx\"", .string("\u{FFFD}x")), ("-5", -5), ("1e3", 1000.0), ("0.25", 0.25),
    ("18446744073709551615", .integer(18446744073709551615)),
    ("[ ]", []), ("[1,[2,{\"a\":null}]]", [1, [2, ["a": .null]]]), ("true", true),
  ]

  @Test(arguments: values)
  func valuesOfEveryKind(text: String, value: RecordedValue) {
    #expect(JSONReader.object(Array("{ \"v\" : \(text) }".utf8))?.first?.value == value)
  }

  @Test(arguments: [
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":tru}", "{\"a\":\"\u{1}\"}", "{\"a\":1]", "{\"a\":\"\\u12\"}",
    "{\"a\":+1}",
  ])
  func whatIsNoJSON(text: String) { #expect(JSONReader.object(Array(text.utf8)) == nil) }

  @Test func depthHasALimitAndNoiseKillsNobody() {
    for depth in [10, 62, 63, 64, 65, 100_000] {
      let text = "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
      #expect((JSONReader.object(Array(text.utf8)) != nil) == (depth <= 63), "\(depth)")
    }
    var random = SeededGenerator("json reader")
    let pieces = ["{", "}", "[", "]", "\"", ",", ":", "\\", "\\u", "d83d", "1", "-", "e", "true", "a", " ", "\u{0}"]
    for _ in 0..<20_000 {
      let text = (0..<random.next() % 20).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
      _ = JSONReader.object(Array(text.utf8))
      _ = JSONReader.object(random.bytes(Int(random.next() % 40)))
    }
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", UInt64?.some(0)), ("2026-01-02T03:04:05.678901234Z", 1_767_323_045_678_901_234),
    ("2024-02-29 12:00:00.1+00:30", 1_709_206_200_100_000_000), ("1969-12-31T23:59:59Z", nil),
    ("2026-1-02T03:04:05Z", nil),
    ("2026-01-02T03:04:05", nil), ("2026-13-02T03:04:05Z", nil), ("", nil), ("2026-01-02T03:04:05Zx", nil),
    ("2026-01-02T03:04:05+1", nil),
  ])
  func times(text: String, nanoseconds: UInt64?) { #expect(Timestamp.nanoseconds(parsing: text) == nanoseconds) }
}
