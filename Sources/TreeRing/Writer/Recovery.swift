import CTreeRing
import Glibc

/// Finishes what dead processes left in their ring files: into the file each was writing where there is one, each record once in it.
package struct Recovery {
  /// Where records go that no file can take: their process wrote to a terminal, a pipe, or left its rings to a collector.
  private let fallback: any Sink

  package init(fallback: any Sink) { self.fallback = fallback }

  /// What became of one ring file.
  package enum Outcome: Equatable {
    /// Its records were written, to these places, and the file was removed.
    case recovered(records: UInt64, to: [String], settlement: String)
    /// Its process lives: nothing was touched.
    case alive
    /// Somebody else is reading it.
    case busy
    /// Somebody else has finished it, and removed the file.
    case gone
  }

  /// Recovers one file. Blocking. A second call for the same process finds nothing.
  ///
  /// - Throws: `RingAttachment.Refusal` for what is no ring file, ``LogError`` when a destination fails; nothing is lost then, the file stays.
  package func recover(_ path: String) throws -> Outcome {
    do {
      return try recoverPresent(path)
    } catch RingAttachment.Refusal.busy {
      return .busy
    } catch RingAttachment.Refusal.gone {
      return .gone
    }
  }

  private func recoverPresent(_ path: String) throws -> Outcome {
    let looked = try RingAttachment(path: path, consumes: false)
    if looked.isProducerAlive, !looked.isSealed { return .alive }
    var places: [String] = []
    let collector = try RingCollector(routing: path, isRecovered: true) { attachment in
      let files = try Self.fileRoutes(of: attachment)
      places = files.isEmpty ? ["standard output"] : files.map(\.sink.name)
      return files.isEmpty ? [SinkRoute(fallback, slot: nil)] : files
    }
    while true {
      switch collector.step() {
      case .delivered: continue
      // Somebody reads it page by page.
      case .failed(.wouldBlock): Syscalls.sleep(nanoseconds: 10_000_000)
      case .failed(let error):
        throw LogError("cannot write to \(places.joined(separator: ", ")): \(error); \(path) stays as it is, try again")
      case .finished:
        return .recovered(records: collector.counters.records, to: places, settlement: collector.settlement)
      case .idle: return .alive
      }
    }
  }

  /// The files the dead process was writing. The header is believed only where its owner is us: a path in another user's file could point anywhere.
  ///
  /// - Parameter open: sinks of this process; a file that one of them has open is written through it, for it holds the file's lock.
  static func fileRoutes(
    of attachment: RingAttachment, sharing open: [any Sink] = []
  ) throws(LogError) -> [SinkRoute] {
    guard attachment.owner == geteuid(), var header = attachment.readHeader(), header.mode == TR_MODE_THREAD
    else { return [] }
    let spelled = unsafe text(tr_header_sinks(&header), limit: 2048)
    var files: [SinkRoute] = []
    for (slot, sink) in (SinkConfiguration.parse(list: spelled) ?? []).enumerated() {
      // One that has its closing records is complete. Without its rotation: what is left goes to the file that is there.
      guard case .file(let path, _) = sink.target, header.closed & 1 << UInt64(slot) == 0 else { continue }
      let shared = open.lazy.compactMap { $0 as? FileSink }.first { $0.path == path }
      if let shared {
        files.append(sink.route(shared, slot: slot))
      } else {
        files.append(sink.route(try FileSink(path: path, format: sink.format, level: sink.level), slot: slot))
      }
    }
    return files
  }
}
