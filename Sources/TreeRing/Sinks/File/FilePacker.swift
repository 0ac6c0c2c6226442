import CTreeRing
import Glibc

/// Compresses a file with a library that is loaded when a configuration asks for it: the package itself depends on none.
protocol FilePacker: Sendable {
  /// Writes the compressed form of what `source` holds to `target`, both from where they stand. Calls `pause` after each 64 KiB.
  func pack(_ source: Int32, _ target: Int32, _ pause: () -> Void) throws(Errno)
}

extension FileRotation.Compression {
  /// Loads the library. Blocking.
  ///
  /// - Parameter library: the name under which the dynamic loader finds it; nil for its usual one.
  /// - Throws: ``LogError`` that names the Debian package when it is not there.
  func loadPacker(_ library: String? = nil) throws(LogError) -> any FilePacker {
    switch self {
    case .gzip: try GzipPacker(PackingLibrary(library ?? "libz.so.1", package: "zlib1g", for: "gzip"))
    case .zstd: try ZstdPacker(PackingLibrary(library ?? "libzstd.so.1", package: "libzstd1", for: "zstd"))
    }
  }
}

/// A library that is loaded at run time and stays.
@safe
struct PackingLibrary: @unchecked Sendable {  // a handle of the dynamic loader, which is free of threads
  private let handle: UnsafeMutableRawPointer
  private let what: String

  init(_ name: String, package: String, for compression: String) throws(LogError) {
    guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
      throw LogError("compress=\(compression) needs \(name): install the Debian package \(package), or leave it out")
    }
    unsafe self.handle = handle
    what = "\(name) of the Debian package \(package)"
  }

  func function(_ name: String) throws(LogError) -> UnsafeMutableRawPointer {
    guard let address = unsafe dlsym(handle, name) else {
      throw LogError("\(what) has no \(name): it is too old, or not that library")
    }
    return unsafe address
  }
}

/// Reads a file piece by piece.
private func forEachPiece(
  of source: Int32, _ pause: () -> Void, _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Void
) throws(Errno) {
  let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
  defer { unsafe piece.deallocate() }
  while true {
    let count = unsafe read(source, piece.baseAddress, piece.count)
    if count < 0, errno == EINTR { continue }
    if count < 0 { throw .current }
    if count == 0 { return }
    try unsafe body(UnsafeMutableRawBufferPointer(rebasing: piece[..<count]))
    pause()
  }
}

/// gzip by zlib's own file functions.
@safe
struct GzipPacker: FilePacker, @unchecked Sendable {  // addresses of functions
  private typealias Open = @convention(c) (Int32, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?
  private typealias Write = @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer?, UInt32) -> Int32
  private typealias Close = @convention(c) (UnsafeMutableRawPointer) -> Int32
  private let open: Open
  private let write: Write
  private let finish: Close

  init(_ library: PackingLibrary) throws(LogError) {
    unsafe open = unsafeBitCast(try library.function("gzdopen"), to: Open.self)
    unsafe write = unsafeBitCast(try library.function("gzwrite"), to: Write.self)
    unsafe finish = unsafeBitCast(try library.function("gzclose_w"), to: Close.self)
  }

  func pack(_ source: Int32, _ target: Int32, _ pause: () -> Void) throws(Errno) {
    // zlib closes the descriptor it writes to; the caller still has to make the file durable.
    let own = fcntl(target, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
    guard own >= 0 else { throw .current }
    guard let stream = unsafe open(own, "wb6") else {
      close(own)
      throw Errno(ENOMEM)
    }
    var failure: Errno?
    do {
      unsafe try forEachPiece(of: source, pause) { piece throws(Errno) in
        errno = 0
        let count = unsafe write(stream, piece.baseAddress, UInt32(piece.count))
        if count != Int32(piece.count) { throw Errno(errno == 0 ? EIO : errno) }
      }
    } catch {
      failure = error
    }
    errno = 0
    if unsafe finish(stream) != 0, failure == nil { failure = Errno(errno == 0 ? EIO : errno) }
    if let failure { throw failure }
  }
}

/// Zstandard, level 3, with a checksum.
@safe
struct ZstdPacker: FilePacker, @unchecked Sendable {  // addresses of functions
  private typealias Make = @convention(c) () -> UnsafeMutableRawPointer?
  private typealias Free = @convention(c) (UnsafeMutableRawPointer) -> Int
  private typealias Set = @convention(c) (UnsafeMutableRawPointer, Int32, Int32) -> Int
  private typealias Compress =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeMutablePointer<TRZstdBuffer>, UnsafeMutablePointer<TRZstdBuffer>, Int32
    ) -> Int
  private typealias IsError = @convention(c) (Int) -> UInt32
  private let make: Make
  private let free: Free
  private let set: Set
  private let compress: Compress
  private let isError: IsError

  private static let compressionLevel: Int32 = 100  // ZSTD_c_compressionLevel
  private static let checksumFlag: Int32 = 201  // ZSTD_c_checksumFlag
  private static let goOn: Int32 = 0  // ZSTD_e_continue
  private static let end: Int32 = 2  // ZSTD_e_end

  init(_ library: PackingLibrary) throws(LogError) {
    unsafe make = unsafeBitCast(try library.function("ZSTD_createCCtx"), to: Make.self)
    unsafe free = unsafeBitCast(try library.function("ZSTD_freeCCtx"), to: Free.self)
    unsafe set = unsafeBitCast(try library.function("ZSTD_CCtx_setParameter"), to: Set.self)
    unsafe compress = unsafeBitCast(try library.function("ZSTD_compressStream2"), to: Compress.self)
    unsafe isError = unsafeBitCast(try library.function("ZSTD_isError"), to: IsError.self)
  }

  func pack(_ source: Int32, _ target: Int32, _ pause: () -> Void) throws(Errno) {
    guard let context = unsafe make() else { throw Errno(ENOMEM) }
    defer { unsafe _ = free(context) }
    unsafe _ = set(context, Self.compressionLevel, 3)
    unsafe _ = set(context, Self.checksumFlag, 1)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 131_072, alignment: 16)
    defer { unsafe output.deallocate() }
    unsafe try forEachPiece(of: source, pause) { piece throws(Errno) in
      var input = unsafe TRZstdBuffer(start: piece.baseAddress, size: piece.count, position: 0)
      while unsafe input.position < input.size { _ = try unsafe step(context, &input, output, target, Self.goOn) }
    }
    var nothing = unsafe TRZstdBuffer(start: nil, size: 0, position: 0)
    while try unsafe step(context, &nothing, output, target, Self.end) > 0 {}
  }

  /// Compresses a part of the input and writes what came of it. Returns how much zstd still has to give.
  private func step(
    _ context: UnsafeMutableRawPointer, _ input: inout TRZstdBuffer, _ output: UnsafeMutableRawBufferPointer,
    _ target: Int32, _ mode: Int32
  ) throws(Errno) -> Int {
    var buffer = unsafe TRZstdBuffer(start: output.baseAddress, size: output.count, position: 0)
    let rest = unsafe compress(context, &buffer, &input, mode)
    guard isError(rest) == 0 else { throw Errno(EIO) }
    let count = unsafe buffer.position
    let (_, error) = unsafe Syscalls.writeAll(target, UnsafeRawBufferPointer(rebasing: output[..<count]))
    if let error { throw error }
    return rest
  }
}
