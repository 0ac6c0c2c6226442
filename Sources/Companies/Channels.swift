import TreeRing

/// The debug channels of this service. What they say is in the record of a crash, too, though they are off.
enum Channels {
  static let request = DebugChannel("companies:request", "each request, as it begins and as it is answered")
  static let store = DebugChannel("companies:store", "each statement, and how long it took")
}
