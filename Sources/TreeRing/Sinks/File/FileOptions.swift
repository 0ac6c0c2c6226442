/// What a file sink does with its file beside appending to it.
public struct FileOptions: Sendable, Equatable {
  /// When it puts the file aside; nil: others do (`logrotate`), or nobody.
  public var rotation: FileRotation?
  /// When it asks for the bytes to be on the disk.
  public var durability: FileDurability

  /// By default a file grows, and the operating system decides when it is on the disk.
  public init(rotation: FileRotation? = nil, durability: FileDurability = .system) {
    self.rotation = rotation
    self.durability = durability
  }
}

extension FileOptions {
  static let forms =
    "rotate=100MB|hourly|daily (or two: 100MB,daily), keep=N, days=N, compress=gzip|zstd, sync=never|batch|500ms"

  /// Takes the options of a `file:` URL out of it; nil when one is not understood, or has no meaning without another.
  init?(_ url: inout SinkURL) {
    self.init()
    guard let rotation = Self.rotation(&url), let durability = FileDurability(url.take("sync") ?? "never") else {
      return nil
    }
    self.rotation = rotation
    self.durability = durability
  }

  /// `.some(nil)` when the URL asks for none.
  private static func rotation(_ url: inout SinkURL) -> FileRotation?? {
    var rotation = FileRotation()
    let triggers = url.take("rotate")
    for trigger in triggers?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      if let period = FileRotation.Period(rawValue: String(trigger)), rotation.period == nil {
        rotation.period = period
      } else if let size = LogConfiguration.parseSize(String(trigger)), size >= FileRotation.smallestSize,
        rotation.size == nil
      {
        rotation.size = size
      } else {
        return nil
      }
    }
    guard take("keep", &url, &rotation.keep), take("days", &url, &rotation.days) else { return nil }
    if let name = url.take("compress") {
      guard let compression = FileRotation.Compression(rawValue: name) else { return nil }
      rotation.compression = compression
    }
    // Nothing to keep or to compress where nothing is put aside.
    guard triggers != nil || rotation == FileRotation() else { return nil }
    return .some(triggers == nil ? nil : rotation)
  }

  private static func take(_ name: String, _ url: inout SinkURL, _ number: inout Int?) -> Bool {
    guard let text = url.take(name) else { return true }
    number = Int(text)
    return 1...1_000_000 ~= number ?? 0
  }

  /// The URL that `init(_:)` takes apart.
  func url(of path: String) -> SinkURL {
    var url = SinkURL(scheme: "file", path: path)
    func add(_ name: String, _ value: String?) {
      if let value { url.options.append((name, value)) }
    }
    let triggers = [rotation?.size.map(String.init), rotation?.period?.rawValue].compactMap { $0 }
    if !triggers.isEmpty { add("rotate", triggers.joined(separator: ",")) }
    add("keep", rotation?.keep.map(String.init))
    add("days", rotation?.days.map(String.init))
    add("compress", rotation?.compression?.rawValue)
    add("sync", durability.text)
    return url
  }
}
