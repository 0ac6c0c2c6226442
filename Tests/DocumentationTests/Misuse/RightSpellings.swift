// What Habits.swift should say.

import TreeRing

struct Point: LogValue {
  var x = 1

  func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    x.write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}
struct Refused: Error {}

let log = Logger("shop")
let debug = DebugChannel("shop:db")
func number() throws -> Int { 1 }
func load() async -> Int { 1 }

func text(_ text: String) { log.info("\(text)") }
func message(_ text: String) { log.info(LogMessage(text)) }
func failure(_ error: any Error) { log.error("what failed", error) }
func channel(_ text: String) { debug("\(text)") }
func field(_ point: Point) { log.info("at") { $0["point"] = point } }
func fields(_ points: [Point]) { log.info("at") { $0["points"] = points } }
func keyed(_ key: String) { log.info("x") { $0.set(key, 1) } }
func throwing() throws {
  let number = try number()
  log.info("\(number)") { $0["n"] = number }
}
func waiting() async {
  let loaded = await load()
  log.info("\(loaded)")
}
func read() { log.info("x") { $0["a"] = 1 } }
func printf(_ rows: Int) { debug("\(rows, "rows") rows") }
func format(_ rows: Int) { log.info("\(rows, "rows") rows in \("db")") }
func mark(_ mail: String) { log.info("\(mail, "mail", .hashed)") }
func warn() { log.warning("x") }
func fatal() { log.critical("x", Refused()) }
func enabled() -> Bool { debug.isEnabled }
func level() { LogSystem.setLevel(.debug, for: "shop") }
func own() { log.with { $0["id"] = "17" }.info("x") }
func labelled() { _ = Logger("shop") }
