import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// One process, one file: putting it aside, following it, and leaving no half line.
@Suite struct FileSinkTests {
  private let line = String(repeating: "x", count: 2999) + "\n"

  // MARK: putting aside

  @Test func isPutAsideBySize() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open(.size(5000))
    try sink.put("1" + line)
    try sink.put("2" + line)
    try sink.put("3\n")
    #expect(fixture.names == ["a.log", "a.log.20261123T120000.000Z"])
    #expect(try fixture.text() == "2" + line + "3\n")
    #expect(try fixture.text(fixture.names[1]) == "1" + line)
  }

  /// Names that are taken, by whomever, are never written over.
  @Test func neverReplacesAFile() throws {
    let fixture = try FileSinkFixture()
    for name in ["a.log.20261123T120000.000Z", "a.log.20261123T120000.001Z.gz"] {
      try "mine".write(toFile: fixture.directory.file(name), atomically: false, encoding: .utf8)
    }
    let sink = try fixture.open(.size(5000))
    for number in 1...4 { try sink.put("\(number)" + line) }
    #expect(fixture.names.count == 6)
    #expect(try fixture.text("a.log.20261123T120000.000Z") == "mine")
    #expect(try fixture.text("a.log.20261123T120000.001Z.gz") == "mine")
    #expect(try fixture.names.dropFirst(3).map { try fixture.text($0).first } == ["1", "2", "3"])
    #expect(try fixture.text().first == "4")
  }

  @Test func modeIsKeptAndNeverWider() throws {
    for (before, after) in [(0o600, 0o600), (0o640, 0o640), (0o666, 0o640), (0o620, 0o600)] as [(UInt32, UInt32)] {
      let fixture = try FileSinkFixture()
      let sink = try fixture.open(.size(5000))
      #expect(try fixture.mode() & ~0o640 == 0)
      unsafe chmod(fixture.path, before)
      try sink.put(line)
      try sink.put(line)
      #expect(fixture.names.count == 2)
      #expect(try fixture.mode() == after, "from \(String(before, radix: 8))")
    }
  }

  @Test func linksAndOtherThingsAreRefused() throws {
    let fixture = try FileSinkFixture()
    unsafe symlink(fixture.directory.file("elsewhere"), fixture.path)
    let link = #expect(throws: LogError.self) { try fixture.open() }
    #expect(link?.description.contains("symbolic link") == true)
    unsafe unlink(fixture.path)
    unsafe mkfifo(fixture.path, 0o600)
    let fifo = #expect(throws: LogError.self) { try fixture.open() }
    #expect(fifo?.description.contains("fifo:") == true)
    #expect(fixture.names == ["a.log"], "nothing came to be behind the link")
  }

  /// A link that takes the file's place later is not followed either.
  @Test func aLinkInThePlaceOfTheFileIsNotFollowed() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open()
    try sink.put("1\n")
    unsafe rename(fixture.path, fixture.directory.file("moved"))
    unsafe symlink(fixture.directory.file("elsewhere"), fixture.path)
    try sink.put("2\n")
    #expect(try fixture.text("moved") == "1\n2\n")
    #expect(fixture.names == ["a.log", "moved"] && fixture.complaints.count == 1)
  }

  @Test func isPutAsideAtMidnightThoughNothingIsLogged() throws {
    let fixture = try FileSinkFixture()
    fixture.now = Syscalls.now(CLOCK_REALTIME)
    let sink = try fixture.open(.daily())
    #expect(sink.attend() == nil, "an empty file waits for nothing")
    try sink.put("1\n")
    let midnight = try #require(sink.attend())
    #expect(midnight % 86_400_000_000_000 == 0 && midnight > fixture.now - 60_000_000_000)
    #expect(fixture.names == ["a.log"])
    fixture.now = midnight + 1_000_000
    #expect(sink.attend() == nil)
    #expect(fixture.names == ["a.log", "a.log.\(RotatedName.stamp(at: fixture.now))"])
    #expect(try fixture.text() == "")
  }

  /// A program that was down at midnight finds yesterday's file, and puts it aside before it writes.
  @Test func yesterdaysFileIsPutAsideAtTheNextStart() throws {
    let fixture = try FileSinkFixture()
    try fixture.open(.daily()).put("old\n")
    var times = [timespec(tv_sec: 1_795_348_800, tv_nsec: 0), timespec(tv_sec: 1_795_348_800, tv_nsec: 0)]
    unsafe utimensat(AT_FDCWD, fixture.path, &times, 0)
    try fixture.open(.daily()).put("new\n")
    #expect(fixture.names.count == 2)
    #expect(try fixture.text() == "new\n" && fixture.text(fixture.names[1]) == "old\n")
  }

  @Test func whatCannotBePutAsideGrowsAndIsToldOnce() throws {
    // The longest name there is: with a time behind it, it is too long.
    let fixture = try FileSinkFixture(String(repeating: "n", count: 255))
    let sink = try fixture.open(.size(5000))
    for _ in 0..<10 {
      try sink.put(line)
      fixture.now += 4_000_000_000
    }
    #expect(fixture.complaints.count == 1 && fixture.complaints[0].contains("cannot put"), "\(fixture.complaints)")
    #expect(try fixture.text(fixture.names[0]).utf8.count == 30_000)
  }

  // MARK: following

  @Test func followsAFileThatIsRenamedOrRemoved() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open()
    try sink.put("1\n")
    unsafe rename(fixture.path, fixture.directory.file("a.log.1"))
    try sink.put("2\n")
    try "other\n".write(toFile: fixture.directory.file("b"), atomically: false, encoding: .utf8)
    unsafe rename(fixture.directory.file("b"), fixture.path)
    try sink.put("3\n")
    #expect(try fixture.text() == "other\n3\n" && fixture.text("a.log.1") == "1\n")
    unsafe unlink(fixture.path)
    try sink.put("4\n")
    #expect(try fixture.text() == "4\n")
    unsafe rename(fixture.path, fixture.directory.file("a.log.2"))
    _ = sink.attend()
    #expect(fixture.names == ["a.log", "a.log.1", "a.log.2"], "also when nothing is logged")
    #expect(fixture.complaints == [])
  }

  /// Removed between the look and the write: what nobody could ever read is written again.
  @Test func aBatchThatWentIntoARemovedFileComesAgain() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open()
    _ = try sink.intent(length: 2)
    unsafe unlink(fixture.path)
    try unsafe Array("1\n".utf8).withUnsafeBytes { try unsafe sink.write($0) }
    #expect(try fixture.text() == "1\n")
  }

  @Test func theNewFileIsMissedOnlyAsLongAsItCannotBeMade() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open()
    try sink.put("1\n")
    unsafe rename(fixture.path, fixture.directory.file("a.log.1"))
    unsafe mkdir(fixture.path, 0o700)
    for _ in 0..<3 { try sink.put("2\n") }
    #expect(fixture.complaints.count == 1)
    unsafe rmdir(fixture.path)
    fixture.now += 2_000_000_000
    try sink.put("3\n")
    #expect(try fixture.text() == "3\n" && fixture.text("a.log.1") == "1\n2\n2\n2\n")
  }

  /// The drain opens a sink again after each failure, of whatever kind: what standard error was told it is not told again by that.
  @Test func anOldFileIsToldOnceHoweverOftenItIsReopened() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open()
    try sink.put("1\n")
    unsafe rename(fixture.path, fixture.directory.file("a.log.1"))
    unsafe mkdir(fixture.path, 0o700)
    for _ in 0..<3 {
      #expect(try sink.reopen())
      try sink.put("2\n")
    }
    #expect(fixture.complaints.count == 1, "\(fixture.complaints)")
  }

  /// Without a name to go on under, it is an outage, and an outage is the drain's to tell.
  @Test func aRemovedFileThatCannotBeMadeIsAnError() throws {
    let fixture = try FileSinkFixture("logs/a.log", making: "logs")
    let sink = try fixture.open()
    try sink.put("1\n")
    unsafe unlink(fixture.path)
    unsafe rmdir(fixture.directory.file("logs"))
    for _ in 0..<3 {
      let error = #expect(throws: Errno.self) { try sink.put("2\n") }
      #expect(error?.code == ENOENT)
      #expect(throws: Errno.self) { try sink.reopen() }
    }
    #expect(fixture.complaints == [])
    try Syscalls.makeDirectories(fixture.directory.file("logs"))
    #expect(try sink.reopen())
    try sink.put("3\n")
    #expect(try fixture.text("logs/a.log") == "3\n")
  }

  @Test func goesOnAtTheStartOfAFileThatWasCut() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open(.size(1_000_000))
    try sink.put(line)
    unsafe truncate(fixture.path, 0)
    let intent = try sink.put("2\n")
    guard case .file(_, _, _, _, let offset) = intent else { throw Errno(EINVAL) }
    #expect(offset == 0)
    #expect(try fixture.text() == "2\n")
  }

  // MARK: half lines

  @Test func aLineThatSomebodyLeftUnfinishedIsEnded() throws {
    let fixture = try FileSinkFixture()
    try "half".write(toFile: fixture.path, atomically: false, encoding: .utf8)
    let sink = try fixture.open()
    #expect(try fixture.text() == "half", "not before something is written: it may be taken back")
    try sink.put("1\n")
    #expect(try fixture.text() == "half\n1\n")
    let other = try fixture.open()
    unsafe truncate(fixture.path, 6)
    try sink.put("2\n")
    #expect(try fixture.text() == "half\n1\n2\n", "among several writers, too")
    _ = other
  }

  /// A real full disk.
  @Test(arguments: [1, 2])
  func aFullDiskLeavesNoHalfLine(writers: Int) throws {
    let disk = try TemporaryDirectory()
    guard unsafe mount("none", disk.path, "tmpfs", 0, "size=64k") == 0 else {
      return print("not run: aFullDiskLeavesNoHalfLine: no tmpfs can be mounted: \(Errno.current)")
    }
    defer { unsafe umount2(disk.path, Int32(MNT_DETACH)) }
    let fixture = try FileSinkFixture(in: disk)
    let sinks = try (0..<writers).map { _ in try fixture.open() }
    var written = ""
    var failures = 0
    for number in 0..<40 {
      let batch = String(repeating: "\(number) " + line, count: 2)
      do {
        try sinks[number % writers].put(batch)
        written += batch
      } catch let error as Errno {
        #expect(error.code == ENOSPC)
        failures += 1
      }
    }
    #expect(failures > 0)
    let text = try fixture.text()
    // With one writer nothing is there but what was taken. With several, what came after it stands on lines of its own.
    if writers == 1 { #expect(text == written) } else { #expect(text.hasPrefix(written)) }
    unsafe truncate(disk.file("a.log"), 0)
    for number in 0..<writers { try sinks[number].put("room \(number)\n") }
    #expect(try fixture.text().split(separator: "\n").suffix(writers) == (0..<writers).map { "room \($0)" }[...])
  }

  /// The end of a cut batch among others' lines: each later line is whole, and what is torn is a line of its own.
  @Test func afterAFullDiskOthersLinesAreWhole() throws {
    let disk = try TemporaryDirectory()
    guard unsafe mount("none", disk.path, "tmpfs", 0, "size=64k") == 0 else {
      return print("not run: afterAFullDiskOthersLinesAreWhole: no tmpfs can be mounted: \(Errno.current)")
    }
    defer { unsafe umount2(disk.path, Int32(MNT_DETACH)) }
    try Data(count: 20_000).write(to: URL(fileURLWithPath: disk.file("ballast")))
    let fixture = try FileSinkFixture(in: disk)
    let (one, other) = (try fixture.open(), try fixture.open())
    let long = String(repeating: "y", count: 60_000) + "\n"
    #expect(throws: Errno.self) { try one.put(long) }
    unsafe unlink(disk.file("ballast"))
    try other.put("whole\n")
    try one.put("again\n")
    let lines = try fixture.text().split(separator: "\n")
    #expect(lines.count == 3 && lines[0].allSatisfy { $0 == "y" } && lines[1...] == ["whole", "again"])
  }

  // MARK: who writes

  /// Before the outage it has found that it is alone; during it others may come.
  @Test func anOutageKeepsNobodyElseOut() throws {
    guard FaultyPlace.canMount() else { return print("not run: a full disk: nothing can be mounted here") }
    let directory = try TemporaryDirectory()
    let place = try FaultyPlace(.fullDisk, in: directory)
    // Half a line, to the end of a page.
    try String(repeating: "x", count: 65_536).write(toFile: place.path, atomically: false, encoding: .utf8)
    let sink = try FileSink(path: place.path)
    try place.fail()
    // Not even the line feed behind the half line has room.
    #expect(throws: Errno(ENOSPC)) { try sink.put("line\n") }
    let other = try Syscalls.open(place.path, O_RDWR)
    defer { close(other) }
    #expect(tr_share_byte(other, LogFile.Byte.presence) == 0)
  }

  @Test func isTheOnlyWriterOnlyWhileNobodyElseHasTheFile() throws {
    let fixture = try FileSinkFixture()
    let one = try fixture.open()
    #expect(try one.put("1\n") != .stream)
    var other: FileSink? = try fixture.open()
    #expect(try one.put("2\n") == .stream)
    #expect(try other?.put("3\n") == .stream)
    other = nil
    #expect(try one.put("4\n") != .stream)
    #expect(try fixture.text() == "1\n2\n3\n4\n")
  }

  @Test func durabilityIsAskedForWhenItIsDue() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open(nil, .every(milliseconds: 200))
    #expect(sink.attend() == nil)
    try sink.put("1\n")
    let due = fixture.now + 200_000_000
    #expect(sink.attend() == due)
    fixture.now += 100_000_000
    try sink.put("2\n")
    #expect(sink.attend() == due, "the oldest byte counts")
    fixture.now += 100_000_000
    #expect(sink.attend() == nil, "done, and nothing to wake up for")
    try fixture.open(nil, .eachBatch).put("3\n")
    #expect(try fixture.text() == "1\n2\n3\n")
  }
}
