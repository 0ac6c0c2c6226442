internal import Logging
internal import Synchronization
internal import TreeRing

/// What a handler was given. A handler is one reference to it, so that the copies which swift-log makes of a handler in every call count one reference and copy nothing.
///
/// Only a handler that alone refers to a state changes it; one that shares it makes a copy first.
final class HandlerState: @unchecked Sendable {  // changed by its one owner; `encoding` is atomic
  let logger: TreeRing.Logger
  /// Where a task keeps its trace.
  let traceKey = TraceContext.Key()
  /// The handler's own level; nil: the configured one.
  var level: Logging.Logger.Level?
  /// From this level on records tell their source.
  var sourceLevel: Logging.Logger.Level? = .error
  var tellsTraces = true
  var provider: Logging.Logger.MetadataProvider?
  /// Not watched for overlapping access: who changes them is the only one here.
  @exclusivity(unchecked) private var ownMetadata: Logging.Logger.Metadata = [:]

  /// An `EncodedMetadata` of `metadata`, owned; 0 until a record needs it. A call publishes a new one with release, others read it with acquire, and it lives as long as this object or
  /// until the one handler changes the metadata.
  private let encoding = Atomic<UInt>(0)

  init(_ logger: TreeRing.Logger, _ provider: Logging.Logger.MetadataProvider?) {
    self.logger = logger
    self.provider = provider
  }

  deinit { setEncoding(nil) }

  /// An equal state, for a handler that is about to change.
  func copy() -> HandlerState {
    let copy = HandlerState(logger, provider)
    copy.level = level
    copy.sourceLevel = sourceLevel
    copy.tellsTraces = tellsTraces
    unsafe copy.ownMetadata = ownMetadata
    copy.setEncoding(unsafe known?.takeUnretainedValue())
    return copy
  }

  // MARK: metadata

  /// Setting them forgets what is encoded.
  var metadata: Logging.Logger.Metadata {
    get { unsafe ownMetadata }
    set {
      unsafe ownMetadata = newValue
      setEncoding(nil)
    }
  }

  /// Sets one of the metadata, in place.
  func set(_ value: Logging.Logger.MetadataValue?, under name: String) {
    unsafe ownMetadata[name] = value
    setEncoding(nil)
  }

  private var known: Unmanaged<EncodedMetadata>? {
    unsafe UnsafeRawPointer(bitPattern: encoding.load(ordering: .acquiring)).map { unsafe Unmanaged.fromOpaque($0) }
  }

  private func setEncoding(_ next: EncodedMetadata?) {
    let address = next.map { unsafe UInt(bitPattern: Unmanaged.passRetained($0).toOpaque()) } ?? 0
    let old = encoding.exchange(address, ordering: .acquiringAndReleasing)
    if let old = unsafe UnsafeRawPointer(bitPattern: old) {
      unsafe Unmanaged<EncodedMetadata>.fromOpaque(old).release()
    }
  }

  /// Lends the metadata in the form that records take them in: encoded by the first record that needs it, and again when other keys are redacted than before.
  @inline(__always)
  func withEncoded<Result>(_ body: (EncodedMetadata) -> Result) -> Result {
    guard let known = unsafe known, unsafe known._withUnsafeGuaranteedRef({ $0.fields.isCurrent }) else {
      return body(encode())
    }
    // It lives as long as `self`, so nobody counts references to it.
    return unsafe known._withUnsafeGuaranteedRef(body)
  }

  /// Encodes the metadata. Another thread may just be reading the ones before, so they live on in the new ones.
  @inline(never)
  private func encode() -> EncodedMetadata {
    let before = unsafe known
    let next = unsafe EncodedMetadata(metadata, replacing: before?.takeUnretainedValue())
    let address = unsafe Unmanaged.passRetained(next).toOpaque()
    let expected = unsafe before.map { unsafe UInt(bitPattern: $0.toOpaque()) } ?? 0
    let desired = UInt(bitPattern: address)
    // Where another thread was faster this record keeps its own.
    if !encoding.compareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing).exchanged {
      unsafe Unmanaged<EncodedMetadata>.fromOpaque(address).release()
    }
    return next
  }
}
