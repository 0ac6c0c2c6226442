import Glibc
import Testing

@testable import ProcessSupervisor

@Suite struct ListeningSocketTests {
  @Test func bindsAndTellsTheRealPort() throws {
    let socket = try ListeningSocket.bind("127.0.0.1:0")
    #expect(socket.address.host == "127.0.0.1")
    #expect(socket.address.port != 0)
    _ = try TestClient(socket.address)
  }

  @Test(arguments: [":0", "*:0", "0.0.0.0:0"]) func bindsEveryAddress(text: String) throws {
    #expect(try ListeningSocket.bind(text).address.host == "0.0.0.0")
  }

  @Test func bindsNames() throws {
    #expect(try ListeningSocket.bind("localhost:0").address.host == "127.0.0.1")
  }

  @Test(.enabled(if: hasIPv6)) func bindsIPv6() throws {
    let socket = try ListeningSocket.bind("[::1]:0")
    #expect(socket.address.host == "::1")
    #expect("\(socket.address)".hasPrefix("[::1]:"))
  }

  @Test func aBusyPortIsNamedWithWhatToDo() throws {
    let first = try ListeningSocket.bind("127.0.0.1:0")
    let port = first.address.port
    let error = #expect(throws: ListenError.addressInUse("127.0.0.1:\(port)", port: port)) {
      _ = try ListeningSocket.bind("127.0.0.1:\(port)")
    }
    #expect(
      error?.description
        == "127.0.0.1:\(port) is in use by another process: stop it ('ss -ltnp sport = :\(port)' names it), "
        + "or choose another port")
  }

  @Test func aPortIsFreeAgainAtOnce() throws {
    let first = try ListeningSocket.bind("127.0.0.1:0")
    let address = first.address
    let client = try TestClient(address)
    // Closed by the server first, the connection lingers in TIME_WAIT.
    close(accept(first.descriptor, nil, nil))
    #expect(client.receive() == "")
    close(first.release())
    let second = try ListeningSocket.bind(address)
    #expect(second.address == address)
  }

  @Test func anAddressOfAnotherMachineIsRefused() {
    #expect(throws: ListenError.addressNotAvailable("192.0.2.1:0")) {
      _ = try ListeningSocket.bind("192.0.2.1:0")
    }
  }

  @Test func aHostThatIsNoneIsNamed() {
    let host = String(repeating: "x", count: 300)
    let error = #expect(throws: ListenError.self) { _ = try ListeningSocket.bind("\(host):80") }
    guard case .unknownHost(host, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(
    arguments: [
      ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:8080", "::1", 8080), (":65535", nil, 65535), ("*:1", nil, 1),
      ("a.example:0", "a.example", 0), ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ] as [(String, String?, UInt16)])
  func readsAddresses(text: String, host: String?, port: UInt16) throws {
    #expect(try ListenAddress(text) == ListenAddress(host: host, port: port))
  }

  @Test(arguments: [
    "", "8080", "host", "host:", "host:65536", "host:-1", "host:+1", "host:8o", "::1:80", "[::1:80", "[]:80", "h:1:2",
  ])
  func refusesWhatIsNoAddress(text: String) {
    let error = #expect(throws: ListenError.self) { _ = try ListenAddress(text) }
    guard case .invalidAddress(text, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("HOST:PORT") == true)
  }

  @Test func permissionIsExplained() {
    #expect("\(ListenError.permissionDenied("h:80", port: 80))".contains("CAP_NET_BIND_SERVICE"))
    #expect(!"\(ListenError.permissionDenied("h:8080", port: 8080))".contains("CAP_NET_BIND_SERVICE"))
  }

  @Test func adoptsAListeningSocketOnly() throws {
    let socket = try ListeningSocket.bind("127.0.0.1:0")
    let adopted = try ListeningSocket.adopt(descriptor: dup(socket.descriptor))
    #expect(adopted.address == socket.address)
    #expect(fcntl(adopted.descriptor, F_GETFD) & FD_CLOEXEC != 0)

    let client = try TestClient(socket.address)
    #expect(throws: ListenError.self) { _ = try ListeningSocket.adopt(descriptor: client.descriptor) }
    #expect(throws: ListenError.self) { _ = try ListeningSocket.adopt(descriptor: STDIN_FILENO) }
    #expect(throws: ListenError.self) { _ = try ListeningSocket.adopt(descriptor: 9999) }
  }

  @Test(
    arguments: [
      (1, 7, nil, 3), (2, 7, nil, 3), (1, 8, nil, nil), (1, nil, nil, nil), (nil, 7, nil, nil), (0, 7, nil, nil),
      (-1, 7, nil, nil), (1, 8, 1, 3), (nil, nil, 1, 3), (nil, nil, 0, nil), (nil, nil, nil, nil),
    ] as [(Int32?, Int32?, Int32?, Int32?)])
  func knowsWhatItWasPassed(descriptors: Int32?, pid: Int32?, own: Int32?, passed: Int32?) {
    let found = WorkerEnvironment.passedListener(
      listenDescriptors: descriptors, listenPID: pid, ownListenDescriptors: own, pid: 7)
    #expect(found == passed)
  }

  private static let hasIPv6 = (try? ListeningSocket.bind("[::1]:0").release()).map { close($0) } != nil
}
