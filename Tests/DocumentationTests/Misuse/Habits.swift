// What people write who come from elsewhere. Above each line stands what the compiler has to say of it, and it says nothing else (MisuseTests).
// It is no part of any target.

import TreeRing

struct Point { var x = 1 }
struct Refused: Error {}

let log = Logger("shop")
let debug = DebugChannel("shop:db")
func number() throws -> Int { 1 }
func load() async -> Int { 1 }

// A text that is not in a literal.
// error: begin with a literal: info("\(text)")
func text(_ text: String) { log.info(text) }
// error: begin with a literal: warning("\(text)")
func text() { log.warning("a" + String(describing: 1)) }
// error: an error comes behind it: error("what failed", error)
func failure(_ error: any Error) { log.error(error) }
// error: begin with a literal: debug("\(text)")
func channel(_ text: String) { debug(text) }

// A value that is no LogValue.
// error: only a LogValue is a field
func field(_ point: Point) { log.info("at") { $0["point"] = point } }
// error: only a LogValue is a field
func fields(_ points: [Point]) { log.info("at") { $0["points"] = points } }
// error: only a LogValue is a field
func any(_ all: [String: Any]) { log.info("all") { $0["all"] = all } }

// A key that is not a literal.
// error: a key in the text is a literal
func key(_ key: String) { log.info("\(1, key)") }
// error: a name made at run time is set by $0.set(name, value)
func keyed(_ key: String) { log.info("x") { $0[key] = 1 } }
// error: a name made at run time is set by $0.set(name, value)
func built(_ id: Int) { log.info("x") { $0["order.\(id)"] = 1 } }

// What cannot run inside of an argument: it may never be evaluated.
// error: call can throw, but it is executed in a non-throwing autoclosure
func throwing() throws { log.info("\(try number())") }
// error: 'async' call in an autoclosure that does not support concurrency
func waiting() async { log.info("\(await load())") }
// error: invalid conversion from throwing function
func throwingField() throws { log.info("x") { $0["n"] = try number() } }
// error: cannot pass function of type '(inout LogFields) async -> ()' to parameter expecting synchronous function type
func waitingField() async { log.info("x") { $0["n"] = await load() } }

// The closure of fields.
// error: fields of a record are written, never read
func read() { log.info("x") { print($0["a"] as Int) } }
// error: values stand in the text
func dictionary() { log.info("x", ["a": 1]) }
// error: values stand in the text
func metadata() { log.info("x", metadata: ["a": "b", "n": 1]) }
// error: value of type 'LogFields' has no member 'a'
func channelMember() { debug("x") { $0.a = 1 } }
// error: value of type 'LogFields' has no member 'a'
func member() { log.info("x") { $0.a = 1 } }

// Formats.
// error: values stand in the text: debug("\(rows, "rows") rows")
func printf(_ rows: Int) { debug("%d rows", rows) }
// error: values stand in the text: debug("\(name, "name") is new")
func format(_ name: String) { debug("%s is new", name) }
// error: write the mark without a label
func mark(_ mail: String) { log.info("\(mail, privacy: .hashed)") }
// error: write the key without a label
func label(_ mail: String) { log.info("\(mail, key: "mail")") }

// Names of elsewhere.
// error: 'warn' has been renamed to 'warning'
func warn() { log.warn("x") }
// error: 'fatal' has been renamed to 'critical'
func fatal() { log.fatal("x", Refused()) }
// error: 'enabled' has been renamed to 'isEnabled'
func enabled() -> Bool { debug.enabled }
// error: levels belong to labels: LogSystem.setLevel(.debug, for: "shop")
func level() { log.logLevel = .debug }
// error: make a child logger
func own() { log[metadataKey: "id"] = "17" }
// error: extraneous argument label 'label:' in call
func labelled() { _ = Logger(label: "shop") }

// Mistakes that have nothing to do with the library stay what they are.
// error: cannot find 'unknown' in scope
func text2() { log.info("\(unknown)") }
// error: cannot find 'unknown' in scope
func closure() { log.info("x") { $0["a"] = unknown } }
func closures() {
  log.error("x", Refused()) {
    // error: cannot convert value of type 'String' to expected argument type 'Int'
    let twice = 2 * "2"
    $0["twice"] = twice
  }
}
// error: argument passed to call that takes no arguments
func call() { log.info("\(number(1))") }
