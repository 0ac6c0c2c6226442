/// Which labels a sink takes: `http,shop.*`, as `labels=` of a sink URL spells it.
///
/// The same meaning as in `TREERING_LEVEL`: an entry is the beginning of a label, `shop.*` covers `shop` as well, and `*` covers everything. Names of debug channels
/// are labels too.
package struct LabelFilter: Sendable, Equatable {
  private let prefixes: [[UInt8]]
  /// As they were given.
  package let patterns: [String]

  /// Nil when there is no entry, which means that every label is taken.
  package init?(_ patterns: [String]) {
    if patterns.isEmpty { return nil }
    self.patterns = patterns
    prefixes = patterns.map { Array($0.utf8.prefix { $0 != UInt8(ascii: "*") }) }
  }

  /// Whether a label is taken.
  package func covers(_ label: UnsafeRawBufferPointer) -> Bool {
    for index in prefixes.indices where unsafe Self.covers(prefixes[index][...], label) { return true }
    return false
  }

  private static func covers(_ prefix: ArraySlice<UInt8>, _ label: UnsafeRawBufferPointer) -> Bool {
    if prefix.count == label.count + 1, prefix.last == UInt8(ascii: ".") {
      return unsafe covers(prefix.dropLast(), label)
    }
    return unsafe prefix.count <= label.count && label.prefix(prefix.count).elementsEqual(prefix)
  }
}
