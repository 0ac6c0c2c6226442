import TreeRing

/// Calls inside the arguments of calls.
///
///     LogStorm nested COUNT     an outer record with an inner one in its text and one in its fields
///     LogStorm deep DEPTH       a call in a call in a call …
enum Nested {
  static func run() {
    for number in 0..<LogStorm.argument(2, default: 100) {
      log.info("outer \(number, "outer.number") \(inner(number), "outer.inner") end") {
        $0["outer.field"] = field(number)
        $0["outer.after"] = "whole"
      }
    }
  }

  private static func inner(_ number: Int) -> String {
    log.notice("inner \(number, "inner.number")") { $0["inner.text"] = "of its own" }
    return "value \(number)"
  }

  private static func field(_ number: Int) -> Int {
    log.warning("field \(number, "field.number")")
    return number * 2
  }

  static func runDeep() {
    let depth = LogStorm.argument(2, default: 10)
    for _ in 0..<LogStorm.argument(3, default: 1) { _ = call(0, depth) }
    log.info("afterwards")
  }

  private static func call(_ depth: Int, _ deepest: Int) -> Int {
    guard depth < deepest else { return depth }
    log.info("depth \(depth, "depth") reached \(call(depth + 1, deepest), "reached")")
    return deepest
  }
}
