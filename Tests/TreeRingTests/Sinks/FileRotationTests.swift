import Foundation
import Glibc
import Testing

@testable import TreeRing

/// When a file is put aside, what it is called then, and which of those put aside go: all decided without a file.
@Suite struct FileRotationTests {
  private let second: UInt64 = 1_000_000_000
  /// 2026-11-23 23:59:59.123 UTC.
  private let evening: UInt64 = 1_795_478_399_123_000_000

  private func state(_ size: UInt64, _ lastWritten: UInt64 = 0) -> FileRotation.State {
    FileRotation.State(size: size, lastWritten: lastWritten)
  }

  @Test func isPutAsideBeforeItWouldBeTooLarge() {
    let rotation = FileRotation.size(100_000)
    #expect(!rotation.isDue(state(90_000), adding: 10_000, now: 0), "full is not too large")
    #expect(rotation.isDue(state(90_000), adding: 10_001, now: 0))
    #expect(!rotation.isDue(state(100_001), adding: 0, now: 0), "nothing to write, nothing to do")
    #expect(!rotation.isDue(state(0), adding: 1_000_000, now: 0), "an empty file is never put aside")
  }

  @Test func isPutAsideWhenItsDayOrHourIsOver() {
    let now = evening + second
    for (rotation, last, isDue) in [
      (FileRotation.daily(), evening, true), (.daily(), now, false), (.hourly(), evening, true),
      (.hourly(), evening - 3600 * second, true), (.daily(), now + 90_000 * second, false),
    ] {
      #expect(rotation.isDue(state(1, last), adding: 0, now: now) == isDue, "\(rotation) \(last)")
      #expect(!rotation.isDue(state(0, last), adding: 9, now: now))
    }
    #expect(!FileRotation.daily().isDue(state(1, evening - 3600 * second), adding: 9, now: evening))
  }

  @Test func bothTogether() {
    let rotation = FileRotation(size: 5000, period: .hourly)
    #expect(rotation.isDue(state(4999, evening), adding: 2, now: evening))
    #expect(rotation.isDue(state(1, evening), adding: 1, now: evening + second))
    #expect(!rotation.isDue(state(1, evening), adding: 1, now: evening))
  }

  @Test func theDeadlineIsTheEndOfThePeriodAndOnlyOfAFileWithSomethingInIt() {
    let midnight: UInt64 = 1_795_478_400_000_000_000
    #expect(FileRotation.daily().deadline(state(1, evening)) == midnight)
    #expect(FileRotation.hourly().deadline(state(1, midnight)) == midnight + 3600 * second)
    #expect(FileRotation.daily().deadline(state(0, evening)) == nil)
    #expect(FileRotation.size(5000).deadline(state(1, evening)) == nil)
  }

  /// Anybody who may write to a file gives it any time: `utimensat(2)`.
  @Test func timesThatAreNoneAreTheNearestThereIs() throws {
    #expect(Syscalls.nanoseconds(timespec(tv_sec: 1, tv_nsec: 5)) == 1_000_000_005)
    for seconds in [-1, Int.min] { #expect(Syscalls.nanoseconds(timespec(tv_sec: seconds, tv_nsec: 999_999_999)) == 0) }
    for seconds in [18_446_744_073, 18_446_744_074, Int.max] {
      #expect(Syscalls.nanoseconds(timespec(tv_sec: seconds, tv_nsec: 999_999_999)) == .max)
    }
    for rotation in [FileRotation.daily(), .hourly()] {
      #expect(rotation.deadline(state(1, .max)) == nil)
      #expect(!rotation.isDue(state(1, .max), adding: 1, now: evening))
    }
    // In memory times are not cut to those that a disk can keep.
    let directory = "/dev/shm/treering-times-\(getpid())"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/log"
    for (seconds, last) in [(-5_000_000_000, 0), (99_999_999_999, UInt64.max)] {
      try "text\n".write(toFile: path, atomically: false, encoding: .utf8)
      let times = [timespec](repeating: timespec(tv_sec: seconds, tv_nsec: 0), count: 2)
      #expect(unsafe utimensat(AT_FDCWD, path, times, 0) == 0)
      #expect(try FileRotation.State(Syscalls.status(ofPath: path)).lastWritten == last)
      let sink = try FileSink(path: path, options: FileOptions(rotation: .hourly()))
      _ = sink.attend()
      _ = try sink.intent(length: 10)
    }
  }

  // MARK: options

  @Test(arguments: [
    ("rotate=100MB&keep=7&compress=gzip", FileRotation.size(100_000_000, keep: 7, compression: .gzip)),
    ("rotate=daily", .daily()), ("rotate=hourly&compress=zstd", .hourly(compression: .zstd)),
    ("rotate=64KiB,daily&days=30", FileRotation(size: 65_536, period: .daily, days: 30)),
    ("rotate=daily,4096", FileRotation(size: 4096, period: .daily)),
  ])
  func optionsAreUnderstoodAndSpelledAgain(query: String, rotation: FileRotation) throws {
    let sinks = try #require(SinkConfiguration.parse(list: "file:/var/log/a.log?\(query)&level=error"))
    #expect(sinks == [.file("/var/log/a.log", rotation: rotation, level: .error)])
    #expect(SinkConfiguration.parse(list: sinks[0].url) == sinks)
  }

  @Test(arguments: [
    ("never", FileDurability.system), ("batch", .eachBatch), ("250ms", .every(milliseconds: 250)),
    ("2s", .every(milliseconds: 2000)),
  ])
  func durabilityIsUnderstood(text: String, durability: FileDurability) throws {
    let sinks = try #require(SinkConfiguration.parse(list: "file:/a?sync=\(text)"))
    #expect(sinks == [.file("/a", durability: durability)])
    #expect(SinkConfiguration.parse(list: sinks[0].url) == sinks)
  }

  @Test(arguments: [
    "rotate=", "rotate=weekly", "rotate=1", "rotate=100", "rotate=daily,hourly", "rotate=1MB,2MB", "rotate=1MB,",
    "keep=7",
    "compress=gzip", "days=3", "rotate=1MB&keep=0", "rotate=1MB&keep=-1", "rotate=1MB&keep=x",
    "rotate=1MB&compress=lzma",
    "rotate=1MB&days=0", "sync=", "sync=5", "sync=0ms", "sync=-5ms", "sync=2h", "rotate=1MB&rotate=daily",
  ])
  func whatMakesNoSenseIsRefused(query: String) {
    #expect(SinkConfiguration.parse(list: "file:/var/log/a.log?\(query)") == nil)
  }

  // MARK: names

  @Test func namesAreTimesAndSortAsTheyDo() throws {
    #expect(RotatedName.stamp(at: evening) == "20261123T235959.123Z")
    #expect(RotatedName.stamp(at: 0) == "19700101T000000.000Z")
    var random = SplitMix(state: 7)
    for _ in 0..<1000 {
      let (one, other) = (random.next() % (1 << 62), random.next() % (1 << 62))
      let stamps = (RotatedName.stamp(at: one), RotatedName.stamp(at: other))
      #expect(RotatedName.time(of: stamps.0) == one / 1_000_000 * 1_000_000)
      #expect((stamps.0 < stamps.1) == (one / 1_000_000 < other / 1_000_000))
    }
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  @Test(arguments: [
    "shop.log", "shop.log.1", "shop.log.20261123T235959.123", "shop.log.20261123T235959.123Z.bak",
    "shop.log.20261123T235959.123Z.part", "shop.log.2026112xT235959.123Z", "shop.logs.20261123T235959.123Z",
    "xshop.log.20261123T235959.123Z", "shop.log.20261123T235959.123z", "shop.log.",
    "shop.log.20261123T235959.123Z.gz.gz",
  ])
  func namesOfAnotherMakingAreNobodysBusiness(name: String) {
    #expect(RotatedName(name, base: "shop.log") == nil)
  }

  @Test func namesAreRead() {
    let stamp = "20261123T235959.123Z"
    for (ending, form) in [
      ("", RotatedName.Form.plain), (".gz", .compressed(.gzip)), (".zst", .compressed(.zstd)), (".gz.part", .partial),
      (".zst.part", .partial),
    ] {
      let name = RotatedName("shop.log.\(stamp)\(ending)", base: "shop.log")
      #expect(name?.stamp == stamp && name?.form == form)
    }
  }

  /// However often a file is put aside, and whatever the clock does: the next one is younger than those before it.
  @Test func theNextStampIsYoungerThanTheLast() {
    let now = evening
    #expect(RotatedName.stamps(at: now, after: nil, count: 2) == ["20261123T235959.123Z", "20261123T235959.124Z"])
    let youngest = RotatedName.stamp(at: now + 3600 * second)
    #expect(RotatedName.stamps(at: now, after: youngest, count: 1) == ["20261124T005959.124Z"], "set back an hour")
    #expect(RotatedName.stamps(at: now, after: RotatedName.stamp(at: now), count: 1) == ["20261123T235959.124Z"])
    let distant = RotatedName.stamp(at: now + 100 * 86_400 * second)
    #expect(
      RotatedName.stamps(at: now, after: distant, count: 1) == ["20261123T235959.123Z"],
      "one name from a clock that was wrong by months does not spoil all that follow")
  }

  // MARK: what becomes of them

  private func plan(_ rotation: FileRotation, _ names: String...) -> RotatedFiles.Plan {
    let names = names.compactMap { RotatedName("a.\($0)", base: "a") }
    return RotatedFiles.plan(names, rotation, now: evening)
  }

  private let old = "20261101T000000.000Z"
  private let middle = "20261110T000000.000Z"
  private let young = "20261120T000000.000Z"

  @Test func theOldestGo() {
    #expect(plan(FileRotation(size: 5000, keep: 2), old, middle, young) == .init(remove: [old]))
    #expect(plan(FileRotation(size: 5000, keep: 1), old, "\(old).gz", middle, young).remove == [middle, old])
    #expect(plan(FileRotation(size: 5000, keep: 3), old, middle, young) == .init())
    #expect(plan(FileRotation(size: 5000), old, middle, young) == .init())
    #expect(plan(FileRotation(size: 5000, days: 14), old, middle, young) == .init(remove: [old]))
    #expect(plan(FileRotation(size: 5000, keep: 1, days: 14), old, young).remove == [old])
    #expect(plan(FileRotation(size: 5000, days: 999_999), old) == .init())
  }

  /// A file with its compressed form beside it is one file; a compression that was given up is none.
  @Test func whatAnEarlierRunLeftIsFinished() {
    let rotation = FileRotation(size: 5000, keep: 2, compression: .gzip)
    #expect(plan(rotation, young, "\(middle).gz") == .init(compress: [young]))
    #expect(plan(rotation, young, "\(young).gz.part") == .init(compress: [young]))
    #expect(plan(rotation, young, "\(young).gz") == .init(finish: [young]))
    #expect(plan(rotation, young, "\(young).zst", "\(middle).gz") == .init(finish: [young]))
    #expect(plan(rotation, "\(young).gz.part", middle, old) == .init(compress: [middle, old], abandoned: [young]))
    #expect(plan(rotation, "\(old).gz", "\(middle).zst", young) == .init(remove: [old], compress: [young]))
  }
}
