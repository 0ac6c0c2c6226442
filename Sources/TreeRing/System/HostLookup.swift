import CTreeRing
import Glibc

/// The question for a host's addresses, which nobody has to wait for.
///
/// The system's resolver takes the time it takes: half a minute where a name server does not answer, and nothing gives it up. So it runs on a thread of its own, which
/// lives for one question. An address in digits needs no resolver and no thread.
final class HostLookup {
  private let host: String
  private let question: Question

  @safe
  private enum Question {
    /// Digits.
    case answered([SocketAddress])
    /// Ours until `tr_lookup_end`.
    case asked(OpaquePointer)
  }

  /// Why a name has no address.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Asks. Never waits.
  init(host: String, port: UInt16, _ type: __socket_type) throws(Errno) {
    self.host = host
    if let addresses = Self.numeric(host, port, type) {
      question = .answered(addresses)
    } else if let lookup = unsafe tr_lookup_begin(host, "\(port)", Int32(type.rawValue)) {
      question = unsafe .asked(lookup)
    } else {
      throw .current
    }
  }

  deinit {
    if case .asked(let lookup) = question { unsafe tr_lookup_end(lookup) }
  }

  /// The addresses, in the resolver's order; nil when they are not there within that time.
  func addresses(withinMilliseconds limit: Int) throws(Failure) -> [SocketAddress]? {
    guard case .asked(let lookup) = question else {
      if case .answered(let addresses) = question { return addresses }
      return nil
    }
    guard unsafe tr_lookup_wait(lookup, Int64(limit) * 1_000_000) else { return nil }
    var list: UnsafeMutablePointer<addrinfo>?
    var error: Int32 = 0
    let code = unsafe tr_lookup_answer(lookup, &list, &error)
    guard code == 0 else {
      let reason = unsafe code == EAI_SYSTEM ? "\(Errno(error))" : String(cString: tr_resolver_error(code))
      throw Failure(description: "cannot resolve \(host): \(reason)")
    }
    return unsafe Self.addresses(in: list)
  }

  /// Nil for a name.
  private static func numeric(_ host: String, _ port: UInt16, _ type: __socket_type) -> [SocketAddress]? {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(type.rawValue)
    unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return nil }
    defer { unsafe freeaddrinfo(list) }
    return unsafe addresses(in: list)
  }

  private static func addresses(in list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
    var list = unsafe list
    var found: [SocketAddress] = []
    while let entry = unsafe list?.pointee {
      found.append(unsafe SocketAddress(entry))
      unsafe list = entry.ai_next
    }
    return found
  }
}
