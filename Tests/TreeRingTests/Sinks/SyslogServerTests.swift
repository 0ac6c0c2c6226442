import TestSupport
import Testing

@testable import TreeRing

/// Records through the sink into real daemons: what they understand is what was logged.
@Suite(.serialized) struct SyslogServerTests {
  /// A way to send: a daemon, a transport, and one of the two forms.
  struct Way: Sendable, CustomTestStringConvertible {
    let program: SyslogServer.Program
    let transport: SyslogServer.Transport
    let standard: SyslogOptions.Standard
    var testDescription: String { "\(program), \(transport), \(standard)" }
  }

  private static func records(_ numbers: Range<Int>, of sink: SyslogSink, text: (Int) -> String) -> [UInt8] {
    let formatter = sink.makeFormatter()
    return numbers.flatMap { number in
      EncodedRecord(level: .error, sequence: UInt64(number), { "\(text(number))" }) { fields in
        fields["number"] = number
        fields["quote"] = "a \"b\" ]c\\ é"
      }.formatted(by: formatter, label: "shop.disk", time: 1_767_323_045_678_901_234) ?? []
    }
  }

  private static func sink(_ target: SyslogTarget, _ standard: SyslogOptions.Standard) throws -> SyslogSink {
    try SyslogSink(target, options: SyslogOptions(standard: standard, facility: 17, application: "tree-ring"))
  }

  @Test(arguments: SyslogServer.Program.allCases)
  func everyPartIsUnderstood(program: SyslogServer.Program) throws {
    let server = try SyslogServer(program)
    defer { server.stop() }
    var expected = 0
    for transport in SyslogServer.Transport.allCases {
      for standard in SyslogOptions.Standard.allCases {
        let way = Way(program: program, transport: transport, standard: standard)
        let sink = try Self.sink(server.target(transport, standard), standard)
        let bytes = Self.records(0..<1, of: sink) { _ in "two\nlines [x] é \u{1B}[31m" }
        try SinkFeeder(sink).deliver(bytes)
        expected += 1
        let messages = try server.messages(expected)
        try #require(messages.count == expected, "\(way.testDescription)")
        check(messages[expected - 1], way)
      }
    }
  }

  private func check(_ message: SyslogServer.Message, _ way: Way) {
    #expect(message.facility == "17" && message.severity == "3", "\(way.testDescription): \(message)")
    #expect(message.app == "tree-ring" && message.pid == "1", "\(way.testDescription): \(message)")
    #expect(message.host == HostName.current, "\(way.testDescription): \(message)")
    let text = "two\\nlines [x] é \\u001b[31m"
    if way.standard == .rfc5424 {
      #expect(message.msg == text && message.id == "shop.disk", "\(way.testDescription): \(message)")
      // syslog-ng adds an element of its own to what comes by a stream.
      #expect(
        message.data.hasPrefix(
          #"[fields@32473 number="0" quote="a \"b\" \]c\\ é"][treering@32473 ring="r.0" seq="0"]"#),
        "\(way.testDescription): \(message)")
    } else {
      // rsyslog counts the blank behind the tag as text.
      let trimmed = message.msg.drop { $0 == " " }
      #expect(
        trimmed == "shop.disk: \(text) number=0 quote=\"a \\\"b\\\" ]c\\\\ é\"", "\(way.testDescription): \(message)")
    }
  }

  /// Octet counting holds for every length, whole batches at once; and nothing is lost or repeated where the transport does not lose.
  @Test(arguments: SyslogServer.Program.allCases, [SyslogServer.Transport.local, .tcp])
  func manyMessagesArriveInOrder(program: SyslogServer.Program, transport: SyslogServer.Transport) throws {
    let server = try SyslogServer(program)
    defer { server.stop() }
    let sink = try Self.sink(server.target(transport, .rfc5424), .rfc5424)
    let count = 2_000
    let bytes = Self.records(0..<count, of: sink) { "\($0):" + String(repeating: "é", count: $0 * 37 % 900) }
    try SinkFeeder(sink).deliver(bytes)
    let messages = try server.messages(count)
    #expect(messages.map { Int($0.msg.prefix { $0 != ":" }) } == Array(0..<count))
    #expect(messages.enumerated().allSatisfy { $1.msg.count == "\($0):".count + $0 * 37 % 900 })
  }

  /// A daemon that is restarted in the middle: what is logged meanwhile waits, and everything is there once.
  @Test(arguments: SyslogServer.Program.allCases, [SyslogServer.Transport.local, .tcp])
  func aRestartedDaemonIsFoundAgain(program: SyslogServer.Program, transport: SyslogServer.Transport) throws {
    let server = try SyslogServer(program)
    defer { server.stop() }
    let sink = try Self.sink(server.target(transport, .rfc5424), .rfc5424)
    let feeder = SinkFeeder(sink)
    for round in 0..<3 {
      let numbers = round * 50..<(round + 1) * 50
      try feeder.deliver(Self.records(numbers, of: sink) { "\($0)" })
      #expect(try server.messages(numbers.upperBound).map(\.msg) == (0..<numbers.upperBound).map { "\($0)" })
      server.stop()
      if round == 1 {
        // The sink has seen that it is away, and says so.
        let error = try #require(feeder.firstError(feeding: Self.records(0..<1, of: sink) { _ in "lost" }))
        #expect(sink.canReturn(after: error) && !sink.describe(error).isEmpty)
      }
      try server.start()
    }
  }

  /// Over UDP nobody can know; but what is sent after the daemon's return arrives.
  @Test(arguments: SyslogServer.Program.allCases)
  func aRestartedReceiverOfDatagramsIsServedAgain(program: SyslogServer.Program) throws {
    let server = try SyslogServer(program)
    defer { server.stop() }
    let sink = try Self.sink(server.target(.udp, .rfc5424), .rfc5424)
    let feeder = SinkFeeder(sink)
    try feeder.deliver(Self.records(0..<10, of: sink) { "\($0)" })
    #expect(try server.messages(10).count == 10)
    server.stop()
    // The first datagram goes into the void; the answer to it is the second one's error.
    let error = try #require(feeder.firstError(feeding: Self.records(10..<12, of: sink) { "\($0)" }))
    #expect(error.code == 111, "connection refused")
    try server.start()
    try feeder.deliver(Self.records(12..<20, of: sink) { "\($0)" }, isBroken: true)
    let texts = try server.messages(18).map(\.msg)
    #expect(texts == (0..<10).map { "\($0)" } + (12..<20).map { "\($0)" })
  }

  /// A daemon with a stream socket, as glibc's `syslog(3)` finds out.
  @Test func aStreamSocketIsServedToo() throws {
    let server = try SyslogServer(.syslogNG)
    defer { server.stop() }
    let sink = try Self.sink(server.stream, .rfc3164)
    let bytes = Self.records(0..<300, of: sink) { "\($0) " + String(repeating: "x", count: $0) }
    try SinkFeeder(sink).deliver(bytes)
    let messages = try server.messages(300)
    #expect(messages.map { $0.msg.split(separator: " ")[1] } == (0..<300).map { "\($0)" })
  }
}
