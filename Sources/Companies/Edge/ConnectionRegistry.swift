import NIOCore
import Synchronization

/// The open connections of a worker, so that a drain reaches every one of them, also one that opens while it begins.
///
/// A mutex guards it, taken when a connection opens and closes and when a drain begins, never for a request.
final class ConnectionRegistry: Sendable {
  /// Tells a connection to answer what it has and go.
  struct DrainEvent: Sendable {}

  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Adds a connection, until it closes. False: there are too many, close it.
  func admit(_ channel: any Channel) -> Bool {
    let id = ObjectIdentifier(channel)
    let admission = state.withLock { state -> (isAdmitted: Bool, isDraining: Bool) in
      guard state.channels.count < limit else { return (false, state.isDraining) }
      state.channels[id] = channel
      return (true, state.isDraining)
    }
    guard admission.isAdmitted else { return false }
    channel.closeFuture.whenComplete { [self] _ in _ = state.withLock { $0.channels.removeValue(forKey: id) } }
    if admission.isDraining { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
    return true
  }

  /// Tells every connection, present and future, to drain.
  func drain() {
    let channels = state.withLock { state in
      state.isDraining = true
      return Array(state.channels.values)
    }
    for channel in channels { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
  }

  /// Closes what is left, whatever it is doing.
  func closeAll() {
    for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
  }
}
