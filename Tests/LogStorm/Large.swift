import TreeRing

/// Records that are larger than a record can be: in the text, in a field, and in a context.
///
///     LogStorm large BYTES
enum Large {
  static func run() {
    let text = String(repeating: "0123456789", count: LogStorm.argument(2, default: 10_000) / 10)
    log.info("large \(text)")
    log.info("large field") {
      $0["before"] = 1
      $0["field"] = text
    }
    log.info("large \(text, "first") \(text, "second")") { $0["third"] = text }
    log.info("afterwards")
  }
}
