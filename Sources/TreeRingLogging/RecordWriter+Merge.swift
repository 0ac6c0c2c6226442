internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes the metadata of one event from their three sources, each name once, without a dictionary in between: of two values of one name the event's wins
  /// over the provider's, and the provider's over the handler's.
  @inline(never)
  mutating func write(
    _ event: Logging.Logger.Metadata?, _ provider: Logging.Logger.Metadata?, _ handler: Logging.Logger.Metadata
  ) {
    if let event {
      for (name, value) in event { write(value, under: name, depth: 0) }
    }
    if let provider, !provider.isEmpty { write(provider, except: event, nil) }
    if !handler.isEmpty { write(handler, except: event, provider) }
  }

  /// Writes the members whose names are in none of two others.
  private mutating func write(
    _ metadata: Logging.Logger.Metadata, except first: Logging.Logger.Metadata?, _ second: Logging.Logger.Metadata?
  ) {
    for (name, value) in metadata where first?.index(forKey: name) == nil && second?.index(forKey: name) == nil {
      write(value, under: name, depth: 0)
    }
  }
}
