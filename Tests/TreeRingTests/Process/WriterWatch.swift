import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// The writer thread of a LogStorm that runs, seen from outside: whether it has parked, and how often the kernel has given it the processor after it had slept.
struct WriterWatch {
  let pid: pid_t
  private let attachment: RingAttachment
  private let task: String

  struct NotThere: Error {}

  /// Waits until the program has rings and its writer its name.
  init(_ run: StormRun) throws { (attachment, task, pid) = try Self.find(run) }

  private static func find(_ run: StormRun) throws -> (RingAttachment, task: String, pid_t) {
    let end = Syscalls.now(CLOCK_MONOTONIC) + patience
    while Syscalls.now(CLOCK_MONOTONIC) < end {
      if let name = run.ringFiles.first,
        let attachment = try? RingAttachment(path: run.directory.file("rings/\(name)"), consumes: false),
        let pid = attachment.readHeader()?.pid, let task = writer(of: pid_t(pid))
      {
        return (attachment, task, pid_t(pid))
      }
      usleep(2000)
    }
    throw NotThere()
  }

  /// Nanoseconds; far more than anything here takes on a machine that is busy with something else.
  private static let patience: UInt64 = 30_000_000_000

  private static func writer(of pid: pid_t) -> String? {
    let tasks = ((try? Syscalls.list("/proc/\(pid)/task")) ?? []).map { "/proc/\(pid)/task/\($0)" }
    return tasks.first { (try? String(contentsOfFile: "\($0)/comm", encoding: .utf8)) == "treering-writer\n" }
  }

  /// Whether it has asked every ring to be woken, and sleeps.
  var isParked: Bool {
    let asks = (0..<attachment.ringCount).allSatisfy { index in
      attachment.readRing(index).map { $0.attention & TR_ATTENTION_PARKED != 0 } ?? true
    }
    guard asks, let stat = try? String(contentsOfFile: "\(task)/stat", encoding: .utf8) else { return false }
    return stat.split(separator: ")").last?.hasPrefix(" S") == true
  }

  func wakeUps() throws -> Int {
    let status = try String(contentsOfFile: "\(task)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") })
    return try #require(Int(line.split(separator: "\t")[1]))
  }

  /// Waits until it has parked: it naps a few milliseconds before. Returns how often it has been awake until then.
  func waitUntilParked() throws -> Int {
    let end = Syscalls.now(CLOCK_MONOTONIC) + Self.patience
    while Syscalls.now(CLOCK_MONOTONIC) < end {
      if isParked {
        let count = try wakeUps()
        usleep(1000)
        if isParked, try wakeUps() == count { return count }
      }
      usleep(2000)
    }
    throw NotThere()
  }
}
