import Glibc

/// An address as the kernel takes it.
struct ResolvedAddress {
  let family: Int32
  /// A sockaddr_in or sockaddr_in6, byte by byte.
  private let bytes: [UInt8]

  func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { buffer in
      // getaddrinfo wrote these bytes as a socket address of this size; the allocation is aligned for any of them.
      guard let base = buffer.baseAddress else { preconditionFailure("an address has bytes") }
      return unsafe body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
    }
  }

  /// The addresses a host has, IPv4 first: who listens on "localhost" is called at 127.0.0.1 more often than at ::1.
  static func all(for address: ListenAddress) throws(ListenError) -> [ResolvedAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = address.host == nil ? AF_INET : AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(address.host, "\(address.port)", &hints, &list)
    guard code == 0 else { throw .unknownHost(address.host ?? "", reason: reason(code)) }
    defer { unsafe freeaddrinfo(list) }
    var found: [ResolvedAddress] = []
    while let entry = unsafe list?.pointee {
      // Each entry of the list owns `ai_addrlen` bytes at `ai_addr` until freeaddrinfo.
      let bytes = unsafe UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
      found.append(unsafe ResolvedAddress(family: entry.ai_family, bytes: Array(bytes)))
      unsafe list = entry.ai_next
    }
    return found.filter { $0.family == AF_INET } + found.filter { $0.family == AF_INET6 }
  }

  /// The numeric address a socket is bound to.
  static func local(of descriptor: Int32) throws(SystemError) -> ListenAddress {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
    // sockaddr_storage is large enough and aligned for every socket address; it stays in place during the two calls.
    let code = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
        guard unsafe getsockname(descriptor, address, &size) == 0 else { return errno }
        let flags = NI_NUMERICHOST | NI_NUMERICSERV
        let failed = unsafe getnameinfo(
          address, size, &host, socklen_t(host.count), &service, socklen_t(service.count), flags)
        return failed == 0 ? 0 : EAFNOSUPPORT
      }
    }
    guard code == 0, let port = UInt16(text(service)) else { throw SystemError("getsockname", code: code) }
    return ListenAddress(host: text(host), port: port)
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func reason(_ code: Int32) -> String {
    if code == EAI_SYSTEM { return SystemError.text(errno) }
    guard let text = unsafe gai_strerror(code) else { return "error \(code)" }
    // A constant of the C library.
    return unsafe String(cString: text)
  }
}
