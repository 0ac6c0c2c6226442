import Foundation
import TestSupport
import Testing
import TreeRing

/// Searches everything that a process leaves behind for what must not be in it: the ring file, as anybody with a core or a disk sees it, and the log.
@Suite struct SecretSearchTests {
  private static let secret = "correct-horse-battery-staple"
  private static let number = 0x5EC2_E75E_C2E7_5EC2
  private static let log = Logger("search")
  private static let channel = DebugChannel("search")

  private enum Plan: String, LogValue { case gold = "correct-horse-battery-staple-plan" }

  /// Logs, looks at the ring file while it is there, and at the log.
  private static func remains(
    _ redactedKeys: RedactedKeys = .standard, _ calls: () -> Void
  ) throws -> (Remains, [JSONRecord]) {
    let directory = try TemporaryDirectory()
    let file = directory.file("log")
    try LogSystem.start(
      LogConfiguration(sinks: [.file(file)], directory: directory.path, debug: "*", redactedKeys: redactedKeys))
    // The second time a call is made its site is known, and the third time that is settled.
    for _ in 0..<3 { calls() }
    log.info("\("canary-text", "canary") \(0x0CA7_0CA7_0CA7, "number")")
    LogSystem.flush()
    let remains = try Remains(directory)
    // The search sees the ring file, as a file and as memory, and the log.
    for places in [remains.places(of: "canary-text"), remains.places(of: 0x0CA7_0CA7_0CA7)] {
      precondition(
        places.contains("log") && places.contains("shared memory") && places.contains { $0.hasSuffix(".ring") },
        "found in \(places) only, of \(remains.files.keys) and \(remains.sharedMemory.count) bytes of memory")
    }
    LogSystem.stop()
    return (remains, try JSONRecord.read(file).filter { $0.logger == "search" || $0.ns == "search" })
  }

  @Test func theNameOfAFieldHidesItsValue() async {
    await #expect(processExitsWith: .success) {
      let secret = Self.secret
      let (remains, records) = try Self.remains {
        Self.log.info("\(secret, "password") and \(Self.number, "api_key")")
        Self.log.warning("failed") {
          $0["db.Password"] = secret
          $0["Set-Cookie"] = secret as String?
          $0["user.tokens"] = [secret].count
          $0["x-auth-token"] = [secret, secret]
          $0["credentials"] = ["user": secret]
          $0["session"] = Plan.gold
          $0["pin.secret"] = Double(bitPattern: UInt64(Self.number))
          $0["clientSecret"] = Duration.nanoseconds(Int64(Self.number))
          $0.set("run.time.Authorization", "Bearer " + secret)
          $0.group("cookies") { $0["harmless"] = secret }
          $0.group("request") { $0["authorization"] = secret }
        }
        Self.log.with { $0["accessKey"] = secret }.info("child")
        let message: LogMessage = "stored \(secret, "token")"
        Self.log.info(message)
        Self.channel("\(secret, "passwd")")
        Self.log.error("described \(URL(filePath: "/" + secret), "secret")")
      }
      #expect(remains.places(of: secret) == [])
      #expect(remains.places(of: Self.number) == [])
      let failed = try #require(records.first { $0.msg == "failed" })
      for name in ["db.Password", "Set-Cookie", "x-auth-token", "credentials", "session", "pin.secret", "clientSecret"]
      {
        #expect(failed[name] as? String == "[redacted]", "\(name)")
      }
      #expect(failed["run.time.Authorization"] as? String == "[redacted]")
      #expect(failed["cookies"] as? String == "[redacted]")
      #expect(failed["request"] as? [String: String] == ["authorization": "[redacted]"])
      #expect(failed.integer("user.tokens") == 1)
      #expect(records.first?.msg == "[redacted] and [redacted]")
      #expect(Set(records.map(\.line.count)).count > 1)
    }
  }

  @Test func theMarkHidesTheValue() async {
    await #expect(processExitsWith: .success) {
      let secret = Self.secret
      let (remains, records) = try Self.remains {
        Self.log.info("\(secret, "a", .secret) \(secret, .hashed) \(secret, "b", .masked) \(Self.number, "c", .hashed)")
        Self.log.info("fields") {
          $0["d", .secret] = secret
          $0["e", .hashed] = secret as String?
          $0.set("f", Self.number, .masked)
          $0["token", .hashed] = secret
        }
        let message: LogMessage = "stored \(secret, "g", .hashed) \(URL(filePath: "/" + secret), "h", .secret)"
        Self.log.info(message)
        Self.channel("\(secret, "i", .hashed)")
      }
      #expect(remains.places(of: secret) == [])
      #expect(remains.places(of: Self.number) == [])
      let hashes = Set(records.flatMap { [$0.e, $0.g, $0.i, $0.token].compactMap(\.self) })
      #expect(hashes.count == 1 && hashes.first?.first == "#")
      #expect(records.first?.msg == "[redacted] \(hashes.first ?? "") ***aple \(records.first?.c ?? "")")
      #expect(records.first { $0.msg == "fields" }?.f == "***")
    }
  }

  /// A call whose first record was written in another way than the later ones: what is known of the call must not let a value through.
  @Test func whatACallSiteIsKnownForLetsNothingThrough() async {
    await #expect(processExitsWith: .success) {
      let secret = Self.secret
      var calls = 0
      let (remains, records) = try Self.remains {
        calls += 1
        Self.log.info("conditional") {
          if calls == 1 { $0["token", .public] = "meant to be read" }
          $0["token"] = secret
          $0["after"] = calls
        }
      }
      #expect(remains.places(of: secret) == [])
      #expect(!remains.places(of: "meant to be read").isEmpty)
      #expect(records.map { $0.token } == ["meant to be read", "[redacted]", "[redacted]", nil])
      #expect(records.compactMap { $0.integer("after") } == [1, 2, 3])
    }
  }

  @Test func aValueMarkedPublicIsWritten() async {
    await #expect(processExitsWith: .success) {
      let (remains, records) = try Self.remains {
        Self.log.info("\("meant to be read", "token", .public)") { $0["session", .public] = ["also", "meant"] }
      }
      #expect(!remains.places(of: "meant to be read").isEmpty)
      for record in records.dropLast() {
        #expect(record.token == "meant to be read")
        #expect(record["session"] as? [String] == ["also", "meant"])
      }
    }
  }

  @Test func theListCanBeChangedAndEmptied() async {
    await #expect(processExitsWith: .success) {
      let changed = try Self.remains(.standard.adding(["IBAN"]).removing(["token"])) {
        Self.log.info("\("DE-hidden", "customer.iban") \("shown", "token") \("hidden too", "password")")
      }
      #expect(changed.1.first?.msg == "[redacted] shown [redacted]")
      #expect(changed.0.places(of: "hidden") == [])
      let empty = try Self.remains(.none) { Self.log.info("\("shown", "password")") }
      #expect(empty.1.first?.msg == "shown")
      // A stricter list holds for calls that are known from before.
      var names = RedactedKeys.none
      for expected in ["visible", "[redacted]"] {
        let (_, records) = try Self.remains(names) { Self.log.info("\("visible", "city")") }
        #expect(records.first?.msg == expected)
        names = .standard.adding(["city"])
      }
    }
  }

  /// Without a ring directory the rings are memory that only a core shows.
  @Test func privateMemoryDoesNotHoldItEither() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try Data().write(to: URL(fileURLWithPath: directory.file("no-directory")))
      unsafe setenv("TREERING_DIR", directory.file("no-directory"), 1)
      unsafe setenv("TREERING_SINK", "file:" + directory.file("log"), 1)
      let secret = Self.secret
      for _ in 0..<3 {
        Self.log.info("\(secret, "password") \(secret, "a", .secret) \(secret, "b", .hashed) \(secret, "c", .masked)")
      }
      Self.log.info("\("canary-text", "canary")")
      LogSystem.flush()
      let remains = try Remains(directory)
      precondition(remains.places(of: "canary-text") == ["log", "shared memory"], "the search sees both")
      precondition(remains.places(of: secret) == [])
      LogSystem.stop()
    }
  }

  /// What a collector takes out of the rings, and what a dead process leaves for it.
  @Test func anArchiveDoesNotHoldIt() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(LogConfiguration(sinks: [], directory: directory.path, writer: .external))
      let secret = Self.secret
      for _ in 0..<3 { Self.log.info("\(secret, "password") \(secret, "a", .hashed)") { $0["token"] = secret } }
      Self.log.info("\("canary-text", "canary")")
      let ring = try #require(try RingDirectory.files(in: directory.path).first)
      let archive = directory.file("archive")
      let collector = try RingCollector(path: ring) { _ in [try FileSink(path: archive, format: .json)] }
      while collector.step() == .delivered {}
      let remains = try Remains(directory)
      #expect(remains.places(of: "canary-text").contains("archive"))
      #expect(remains.places(of: secret) == [])
    }
  }
}
