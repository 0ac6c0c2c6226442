/// A set of whole numbers that are mostly gapless, kept as its runs: memory grows with the gaps and not with the numbers.
///
/// The runs stand in order, in leaves of at most 512. Numbers that come in order cost a comparison and an addition; one out of order costs two binary searches and a
/// move inside of one leaf, so that even an archive shuffled line by line is read in reasonable time. 16 bytes a run. Numbers are at most 2^63 - 1.
package struct NumberSet: Sendable, Equatable {
  /// All the numbers from `first` to `last`.
  package struct Run: Sendable, Equatable {
    package var first: UInt64
    package var last: UInt64

    package init(first: UInt64, last: UInt64) {
      self.first = first
      self.last = last
    }

    var count: UInt64 { last - first + 1 }
  }

  private var leaves: [[Run]] = []
  /// How many numbers there are.
  package private(set) var count: UInt64 = 0

  static let leafSize = 512

  package init() {}

  /// The largest number.
  package var last: UInt64? { leaves.last?.last?.last }

  /// How many runs there are.
  package var runCount: Int { leaves.reduce(0) { $0 + $1.count } }

  /// Adds a number. False when it is there already.
  package mutating func insert(_ number: UInt64) -> Bool { insert(Run(first: number, last: number)) == 1 }

  /// Adds a run. Returns how many of its numbers are new.
  package mutating func insert(_ run: Run) -> UInt64 {
    let leaf = leaves.count - 1
    if leaf >= 0 {
      let end = leaves[leaf].count - 1
      if leaves[leaf][end].last &+ 1 == run.first {
        leaves[leaf][end].last = run.last
        count += run.count
        return run.count
      }
    }
    return merge(run)
  }

  private mutating func merge(_ run: Run) -> UInt64 {
    var merged = run
    var known: UInt64 = 0
    while let place = place(touching: merged) {
      let other = leaves[place.leaf][place.index]
      if other.first <= run.first, other.last >= run.last { return 0 }
      if other.first <= run.last, other.last >= run.first {
        known += min(other.last, run.last) - max(other.first, run.first) + 1
      }
      merged = Run(first: min(merged.first, other.first), last: max(merged.last, other.last))
      remove(place)
    }
    put(merged)
    count += run.count - known
    return run.count - known
  }

  /// Calls `body` with each run, in order.
  package func forEachRun(_ body: (Run) -> Void) {
    for leaf in leaves { leaf.forEach(body) }
  }

  /// The first stretches below `end` that are missing, at most `limit` of them.
  package func gaps(below end: UInt64, limit: Int) -> [Run] {
    var gaps: [Run] = []
    var next: UInt64 = 0
    for leaf in leaves {
      for run in leaf {
        if gaps.count == limit || next >= end { return gaps }
        if run.first > next { gaps.append(Run(first: next, last: min(run.first, end) - 1)) }
        next = run.last + 1
      }
    }
    if gaps.count < limit, next < end { gaps.append(Run(first: next, last: end - 1)) }
    return gaps
  }

  // MARK: runs in leaves

  private struct Place {
    var leaf: Int
    var index: Int
  }

  /// The last run that overlaps `run` or borders on it.
  private func place(touching run: Run) -> Place? {
    let leaf = Self.countOf(leaves) { $0[0].first <= run.last + 1 } - 1
    guard leaf >= 0 else { return nil }
    let index = Self.countOf(leaves[leaf]) { $0.first <= run.last + 1 } - 1
    return leaves[leaf][index].last + 1 >= run.first ? Place(leaf: leaf, index: index) : nil
  }

  private mutating func remove(_ place: Place) {
    leaves[place.leaf].remove(at: place.index)
    if leaves[place.leaf].isEmpty { leaves.remove(at: place.leaf) }
  }

  /// Puts in a run that touches no other.
  private mutating func put(_ run: Run) {
    guard !leaves.isEmpty else { return leaves.append([run]) }
    let leaf = max(Self.countOf(leaves) { $0[0].first <= run.first } - 1, 0)
    leaves[leaf].insert(run, at: Self.countOf(leaves[leaf]) { $0.first <= run.first })
    if leaves[leaf].count > Self.leafSize {
      let half = Array(leaves[leaf][(Self.leafSize / 2)...])
      leaves[leaf].removeLast(half.count)
      leaves.insert(half, at: leaf + 1)
    }
  }

  /// How many elements from the start fulfil `condition`, which those after them do not.
  private static func countOf<Element>(_ elements: [Element], _ condition: (Element) -> Bool) -> Int {
    var (low, high) = (0, elements.count)
    while low < high {
      let middle = (low + high) / 2
      if condition(elements[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
