import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What becomes of files put aside: compressed, removed, and never before they are whole and nobody writes to them.
@Suite struct FileChoreTests {
  private let stamp = "a.log.20261123T120000.000Z"

  private func text(_ name: String, _ fixture: FileSinkFixture) throws -> String {
    try runTool(
      "/bin/sh", "-c", name.hasSuffix(".gz") ? "gzip -dc \"$0\"" : "zstd -qdc \"$0\"", fixture.directory.file(name))
  }

  private func chore(_ fixture: FileSinkFixture, _ rotation: FileRotation) throws -> FileChore {
    try #require(try FileChore(path: fixture.path, rotation: rotation))
  }

  @Test(arguments: FileRotation.Compression.allCases)
  func aFilePutAsideIsCompressedInTheBackground(compression: FileRotation.Compression) throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open(.size(5000, compression: compression))
    let batch = (0..<20_000).map { "line \($0)\n" }.joined()
    try sink.put(batch)
    try sink.put("2\n")
    let name = stamp + compression.ending
    #expect(fixture.waitUntil { fixture.names == ["a.log", name] }, "\(fixture.names)")
    #expect(try text(name, fixture) == batch)
    #expect(try fixture.mode(name) == fixture.mode())
    #expect(try Syscalls.status(ofPath: fixture.directory.file(name)).st_size < batch.utf8.count / 3)
  }

  @Test func theOldestAreRemoved() throws {
    let fixture = try FileSinkFixture()
    let sink = try fixture.open(FileRotation(size: 5000, keep: 2, compression: .gzip))
    let line = String(repeating: "x", count: 4000) + "\n"
    for number in 0..<6 {
      try sink.put("\(number)" + line)
      fixture.now += 60_000_000_000
    }
    let expected = ["a.log", "a.log.20261123T120400.000Z.gz", "a.log.20261123T120500.000Z.gz"]
    #expect(fixture.waitUntil { fixture.names == expected }, "\(fixture.names)")
    #expect(try text(expected[2], fixture).first == "4")
  }

  /// A death at each step of a compression: the next start finishes it, and the lines are there once.
  @Test(arguments: FileRotation.Compression.allCases)
  func whatADeadProcessLeftIsFinished(compression: FileRotation.Compression) throws {
    let ending = compression.ending
    for (files, whole) in [
      ([(stamp, "plain\n"), (stamp + ending + ".part", "half")], "plain\n"),  // while compressing
      ([(stamp, "plain\n"), (stamp + ending, "")], nil),  // after the rename, before the plain file went
      ([(stamp + ending, ""), (stamp + ".gz.part", "x")], nil),
    ] as [([(String, String)], String?)] {
      let fixture = try FileSinkFixture()
      for (name, text) in files {
        try text.write(toFile: fixture.directory.file(name), atomically: false, encoding: .utf8)
      }
      try chore(fixture, .size(5000, compression: compression)).run(fixture.now) {}
      if let whole {
        #expect(fixture.names == [stamp + ending])
        #expect(try text(stamp + ending, fixture) == whole)
      } else {
        #expect(fixture.names.filter { !$0.hasSuffix(".part") } == [stamp + ending])
      }
    }
  }

  @Test func aStartLooksAfterWhatWasLeft() throws {
    let fixture = try FileSinkFixture()
    try "left\n".write(toFile: fixture.directory.file(stamp), atomically: false, encoding: .utf8)
    let sink = try fixture.open(.daily(compression: .gzip))
    #expect(fixture.waitUntil { fixture.names == ["a.log", stamp + ".gz"] }, "\(fixture.names)")
    _ = sink
  }

  /// Another process still has the file open and may write one more batch to it.
  @Test func aFileThatIsStillWrittenIsLeftAlone() throws {
    let fixture = try FileSinkFixture()
    let slow = try fixture.open()
    _ = try slow.intent(length: 5)
    try slow.put("early\n")
    unsafe rename(fixture.path, fixture.directory.file(stamp))
    let chore = try chore(fixture, FileRotation(size: 5000, keep: 1, compression: .gzip))
    try "newer".write(
      toFile: fixture.directory.file("a.log.20261123T130000.000Z.gz"), atomically: false, encoding: .utf8)
    try chore.run(fixture.now) {}
    #expect(fixture.names.contains(stamp), "too many, but in use")
    unsafe unlink(fixture.directory.file("a.log.20261123T130000.000Z.gz"))
    try chore.run(fixture.now) {}
    #expect(fixture.names == [stamp])
    try slow.put("late\n")
    try chore.run(fixture.now) {}
    #expect(fixture.names == ["a.log", stamp + ".gz"])
    #expect(try text(stamp + ".gz", fixture) == "early\n")
  }

  @Test func aCompressionThatFailsLeavesThePlainFile() throws {
    let disk = try TemporaryDirectory()
    guard unsafe mount("none", disk.path, "tmpfs", 0, "size=256k") == 0 else {
      return print("not run: aCompressionThatFailsLeavesThePlainFile: no tmpfs can be mounted: \(Errno.current)")
    }
    defer { unsafe umount2(disk.path, Int32(MNT_DETACH)) }
    for compression in FileRotation.Compression.allCases {
      let fixture = try FileSinkFixture(in: disk)
      var random = SeededGenerator(seed: 1)
      let bytes = Data(random.bytes(200_000))
      try bytes.write(to: URL(fileURLWithPath: fixture.directory.file(stamp)))
      let error = #expect(throws: Errno.self) {
        try chore(fixture, .size(5000, compression: compression)).run(fixture.now) {}
      }
      #expect(error?.code == ENOSPC)
      #expect(fixture.names == [stamp])
      #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.directory.file(stamp))) == bytes)
    }
  }

  @Test func linksAmongTheNamesAreNotFollowed() throws {
    let fixture = try FileSinkFixture()
    try "precious".write(toFile: fixture.directory.file("precious"), atomically: false, encoding: .utf8)
    unsafe symlink(fixture.directory.file("precious"), fixture.directory.file(stamp))
    let chore = try chore(fixture, FileRotation(size: 5000, keep: 1, compression: .gzip))
    #expect(throws: Errno.self) { try chore.run(fixture.now) {} }
    #expect(fixture.names == [stamp, "precious"])
    #expect(try fixture.text("precious") == "precious")
  }

  @Test func aMissingLibraryIsNamedWithItsPackage() {
    for (compression, package) in [(FileRotation.Compression.gzip, "zlib1g"), (.zstd, "libzstd1")] {
      let error = #expect(throws: LogError.self) { try compression.loadPacker("libnowhere.so.9") }
      #expect(error?.description.contains("libnowhere.so.9") == true && error?.description.contains(package) == true)
      let wrong = #expect(throws: LogError.self) { try compression.loadPacker("libc.so.6") }
      #expect(wrong?.description.contains(package) == true)
    }
  }
}
