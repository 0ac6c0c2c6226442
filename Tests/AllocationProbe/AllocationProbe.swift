import CAllocationCounter
import Glibc
import TreeRing

let log = Logger("probe")
let channel = DebugChannel("probe")

/// Proves that a log call allocates nothing: counts the allocations of this thread around many calls of each kind, and around a call that is known to allocate, so
/// that a counter which does not count is noticed. To be built for release: what an unoptimised build allocates says nothing.
///
///     AllocationProbe [CALLS]
///
/// Prints a line for each kind. Exit code 1 when a kind that must not allocate did, or the counter did not see the one that must.
@main
enum AllocationProbe {
  static let calls = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 100_000

  static func main() throws {
    try LogSystem.start(LogConfiguration(sinks: [.null], debug: "probe"))
    let child = log.with { $0["request.id"] = "4f2a" }
    let stored: LogMessage = "stored \(17, "number")"
    let text = String(repeating: "native string ", count: 10)
    let missing: Int? = nil
    let numbers = [1, 2, 3]
    let name = String(repeating: "name", count: 8)
    let account = [
      measure("plain text", mayAllocate: false) { _ in log.info("nothing but text") },
      measure("scalars", mayAllocate: false) { number in
        log.info("integer \(number, "i") double \(Double(number), "d") bool \(true, "b") none \(missing, "n")")
      },
      measure("strings", mayAllocate: false) { number in
        log.info("text \(text, "text") number \(number, "n")")
      },
      measure("fields", mayAllocate: false) { number in
        log.warning("failed") {
          $0["http.status"] = number
          $0["http.route"] = text
          $0["duration"] = Duration.milliseconds(number)
        }
      },
      measure("marked values", mayAllocate: isUnoptimised) { number in
        log.info("\(number, "a", .hashed) \(text, "b", .masked) \(text, "c", .secret) \(missing, "d", .public)") {
          $0["e", .hashed] = text
        }
      },
      measure("names that hide", mayAllocate: false) { number in
        log.info("\(text, "password") \(number, "token")") { $0["cookie"] = text }
      },
      measure("nested values", mayAllocate: isUnoptimised) { number in
        log.info("nested \(numbers, "numbers")") {
          $0.group("group") { $0["n"] = number }
          $0.array("array") { $0.append(number) }
        }
      },
      measure("names made at run time", mayAllocate: false) { number in log.info("text") { $0.set(name, number) } },
      measure("limited", mayAllocate: false) { number in
        log.limited(to: 1_000_000, per: .seconds(3600)).info("\(number, "n")")
      },
      measure("sampled", mayAllocate: false) { number in log.sampled(oneIn: 1).info("\(number, "n")") },
      measure("child logger", mayAllocate: false) { number in child.info("request \(number, "n")") },
      measure("stored message", mayAllocate: false) { _ in log.info(stored) },
      measure("debug channel", mayAllocate: false) { number in channel("row \(number, "n")") },
      measure("disabled", mayAllocate: false) { number in log.debug("not \(describe(number))") },
      Logger.withContext { $0["request.id"] = text } operation: {
        measure("in a task's context", mayAllocate: false) { number in log.info("request \(number, "n")") }
      },
      measure("description of a type", mayAllocate: true) { number in log.info("value \(Opaque(number: number))") },
    ]
    LogSystem.stop()
    exit(account.allSatisfy { $0 } ? 0 : 1)
  }

  /// An unoptimised build allocates for closures and generic loops that an optimised one inlines.
  #if DEBUG
    static let isUnoptimised = true
  #else
    static let isUnoptimised = false
  #endif

  struct Opaque { let number: Int }

  @inline(never) static func describe(_ number: Int) -> String { String(repeating: "x", count: number + 100) }

  /// Whether the calls allocated as they may. The first calls make the ring and the label, and are not counted.
  @inline(never)
  static func measure(_ kind: String, mayAllocate: Bool, _ call: (Int) -> Void) -> Bool {
    for number in 0..<100 { call(number) }
    LogSystem.flush()
    let dropped = LogSystem.counters.droppedTotal
    let emitted = LogSystem.counters.emitted
    var allocations: UInt64 = 0
    for batch in 0..<calls / 500 {
      // The rings are kept from filling up, so that what is counted are records and no drops.
      LogSystem.flush()
      let before = allocation_count()
      for number in 0..<500 { call(batch * 500 + number) }
      allocations += allocation_count() - before
    }
    let written = LogSystem.counters.emitted - emitted
    let lost = LogSystem.counters.droppedTotal - dropped
    let isRight = lost == 0 && (mayAllocate ? allocations >= UInt64(calls) : allocations == 0)
    let verdict = isRight ? "" : "  WRONG"
    print("\(kind): \(allocations) allocations, \(written) records, \(lost) dropped in \(calls) calls\(verdict)")
    return isRight
  }
}
