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

  /// The bytes of every ring file and of the log, and how often a text or number stands in them.
  private struct Remains {
    let bytes: [String: Data]

    init(_ directory: TemporaryDirectory) throws {
      // A socket cannot be read.
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.file($0))
        return attributes[.type] as? FileAttributeType == .typeRegular
      }
      bytes = try names.reduce(into: [:]) { bytes, name in
        bytes[name] = try Data(contentsOf: URL(fileURLWithPath: directory.file(name)))
      }
    }

    func holds(_ pattern: Data, in log: Bool) -> Bool {
      bytes.contains { ($0.key == "log") == log && $0.value.range(of: pattern) != nil }
    }

    func holds(_ text: String) -> Bool { holds(Data(text.utf8), in: false) || holds(Data(text.utf8), in: true) }

    func holds(_ number: Int) -> Bool {
      unsafe holds(withUnsafeBytes(of: number.littleEndian) { unsafe Data($0) }, in: false) || holds("\(number)")
    }
  }

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
    #expect(remains.holds(Data("canary-text".utf8), in: false), "the search sees the ring file")
    #expect(remains.holds(Data("canary-text".utf8), in: true), "the search sees the log")
    #expect(remains.holds(0x0CA7_0CA7_0CA7))
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
      #expect(!remains.holds(secret))
      #expect(!remains.holds(Self.number))
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
      #expect(!remains.holds(secret))
      #expect(!remains.holds(Self.number))
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
      #expect(!remains.holds(secret))
      #expect(remains.holds("meant to be read"))
      #expect(records.map { $0.token } == ["meant to be read", "[redacted]", "[redacted]", nil])
      #expect(records.compactMap { $0.integer("after") } == [1, 2, 3])
    }
  }

  @Test func aValueMarkedPublicIsWritten() async {
    await #expect(processExitsWith: .success) {
      let (remains, records) = try Self.remains {
        Self.log.info("\("meant to be read", "token", .public)") { $0["session", .public] = ["also", "meant"] }
      }
      #expect(remains.holds("meant to be read"))
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
      #expect(!changed.0.holds("hidden"))
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
}
