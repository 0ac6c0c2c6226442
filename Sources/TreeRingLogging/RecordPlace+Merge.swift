internal import Logging
internal import TreeRing

extension RecordPlace {
  /// Writes the metadata of one event from their three sources, each name once, without a dictionary in between: of two values of one name the event's wins
  /// over the provider's, and the provider's over the logger's.
  @inline(never)
  func adding(
    _ event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?, _ state: HandlerState
  ) -> RecordPlace {
    var place = self
    if let event { place = place.writing(event) }
    if let provided { place = place.writing(provided, except: event, nil) }
    if !state.metadata.isEmpty { place = place.addingOwn(of: state, except: event, provided) }
    return place
  }

  /// Writes the logger's own metadata: at once when none of them is replaced.
  private func addingOwn(
    of state: HandlerState, except event: Logging.Logger.Metadata?, _ provided: Logging.Logger.Metadata?
  ) -> RecordPlace {
    state.withEncoded { own in
      if let event, own.mayShareNames(with: event) { return writing(state.metadata, except: event, provided) }
      if let provided, own.mayShareNames(with: provided) { return writing(state.metadata, except: event, provided) }
      let place = adding(own.fields)
      return own.others.isEmpty ? place : place.writing(own.others)
    }
  }

  /// Writes the members whose names are in none of two others.
  @inline(never)
  private func writing(
    _ metadata: Logging.Logger.Metadata, except first: Logging.Logger.Metadata?, _ second: Logging.Logger.Metadata?
  ) -> RecordPlace {
    var place = self
    for (name, value) in metadata where first?.index(forKey: name) == nil && second?.index(forKey: name) == nil {
      place = place.writing(value, under: name)
    }
    return place
  }
}
