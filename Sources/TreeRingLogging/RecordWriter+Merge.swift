internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes the metadata of one event from their three sources, each name once, without a dictionary in between: of two values of one name the event's wins
  /// over the provider's, and the provider's over the logger's.
  @inline(never)
  func adding(
    _ event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ state: HandlerState
  ) -> RecordWriter {
    var writer = self
    if let event { writer = writer.writing(event) }
    if let provided { writer = writer.writing(provided, except: event, nil) }
    if !state.metadata.isEmpty { writer = writer.addingOwn(of: state, except: event, provided) }
    return writer
  }

  /// Writes the logger's own metadata: at once when none of them is replaced.
  private func addingOwn(
    of state: HandlerState, except event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?
  ) -> RecordWriter {
    state.withEncoded { own in
      if let event, own.mayShareNames(with: event) { return writing(state.metadata, except: event, provided) }
      if let provided, own.mayShareNames(with: provided) { return writing(state.metadata, except: event, provided) }
      let writer = adding(own.fields)
      return own.others.isEmpty ? writer : writer.writing(own.others)
    }
  }

  /// Writes the members whose names are in none of two others.
  @inline(never)
  private func writing(
    _ metadata: Logging.Logger.Metadata, except first: Logging.Logger.Metadata?, _ second: Logging.Logger.Metadata?
  ) -> RecordWriter {
    var writer = self
    for (name, value) in metadata where first?.index(forKey: name) == nil && second?.index(forKey: name) == nil {
      writer = writer.writing(value, under: name)
    }
    return writer
  }
}
