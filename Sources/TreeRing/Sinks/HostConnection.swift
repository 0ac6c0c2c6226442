import Glibc

/// The way to a host, step by step, none of which is waited for longer than the caller has patience: what is not done yet goes on by itself, and is looked at
/// again next time.
///
/// | step | waits for | until |
/// |---|---|---|
/// | idle | | it is asked for a connection |
/// | asking | the resolver (`HostLookup`) | that answers |
/// | connecting | one address after the other | one accepts; 3 s for each |
///
/// A host whose name server or which itself says nothing is told by the sink as an outage after a second, like any reader that does not read. The addresses are kept
/// until none of them answers; then the name is looked up again.
final class HostConnection {
  private let host: String
  private let port: UInt16
  private let type: __socket_type
  private var step = Step.idle
  /// What the resolver has answered.
  private var addresses: [SocketAddress] = []
  /// Of these the ones that have not been tried.
  private var untried: ArraySlice<SocketAddress> = []
  private var lookupFailure: String?

  private enum Step {
    case idle
    case asking(HostLookup)
    /// `until`: nanoseconds of the monotonic clock.
    case connecting(Socket, until: UInt64)
  }

  /// One SYN may be lost: the next is sent after a second.
  static let patienceForAnAddress: UInt64 = 3_000_000_000

  init(host: String, port: UInt16, _ type: __socket_type) {
    self.host = host
    self.port = port
    self.type = type
  }

  /// What is in the way, in words, where that is more than an error says.
  var problem: String? {
    switch step {
    case .idle: lookupFailure
    case .asking: "the resolver has not answered for \(host)"
    case .connecting: "it does not answer"
    }
  }

  /// A connection, nil as long as there is none. Waits so long at most.
  ///
  /// - Throws: the error of the last address when none has accepted, EHOSTUNREACH when the name has none. The next call begins anew.
  func socket(withinMilliseconds patience: Int) throws(Errno) -> Socket? {
    let end = Syscalls.now(CLOCK_MONOTONIC) + UInt64(max(patience, 0)) * 1_000_000
    while true {
      let now = Syscalls.now(CLOCK_MONOTONIC)
      let left = end > now ? Int((end - now + 999_999) / 1_000_000) : 0
      switch step {
      case .idle: try begin(now)
      case .asking(let lookup):
        guard let found = try answer(of: lookup, left) else { return nil }
        addresses = found
        try beginWithAddresses(now)
      case .connecting(let socket, let until):
        switch progress(of: socket, left, until) {
        case .made:
          step = .idle
          return socket
        case .pending: return nil
        case .failed(let error): try tryNext(now, after: error)
        }
      }
    }
  }

  private enum Progress {
    case made
    case pending
    case failed(Errno)
  }

  private func progress(of socket: Socket, _ patience: Int, _ until: UInt64) -> Progress {
    do {
      if try socket.isConnected(withinMilliseconds: patience) { return .made }
    } catch {
      return .failed(error)
    }
    return Syscalls.now(CLOCK_MONOTONIC) < until ? .pending : .failed(Errno(ETIMEDOUT))
  }

  private func begin(_ now: UInt64) throws(Errno) {
    lookupFailure = nil
    if addresses.isEmpty {
      step = .asking(try HostLookup(host: host, port: port, type))
    } else {
      try beginWithAddresses(now)
    }
  }

  private func answer(of lookup: HostLookup, _ patience: Int) throws(Errno) -> [SocketAddress]? {
    do {
      return try lookup.addresses(withinMilliseconds: patience)
    } catch {
      step = .idle
      lookupFailure = error.description
      throw Errno(EHOSTUNREACH)
    }
  }

  private func beginWithAddresses(_ now: UInt64) throws(Errno) {
    untried = addresses[...]
    try tryNext(now, after: Errno(EHOSTUNREACH))
  }

  /// Begins to connect to the next address. Throws when there is none.
  private func tryNext(_ now: UInt64, after error: Errno) throws(Errno) {
    var lastError = error
    while let address = untried.popFirst() {
      do {
        step = .connecting(try Socket.connecting(to: address, type), until: now + Self.patienceForAnAddress)
        return
      } catch {
        lastError = error
      }
    }
    step = .idle
    addresses = []
    throw lastError
  }
}
