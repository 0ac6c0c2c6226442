import TreeRing

/// One request, as the edge saw it: from its head to the last byte of its answer.
package struct AccessRecord: Sendable, Equatable {
  package var requestID: String
  package var method: String
  /// Without the query, which may hold what should not be logged; at most 1,024 bytes.
  package var path: String
  /// The pattern that matched, as `/companies/:id`; `-` when none did.
  package var route: String
  /// As sent. 499 when the client left before it was.
  package var status: Int
  /// Of the body, handed to the socket.
  package var bytes: Int
  package var durationMilliseconds: Double
  /// The peer's address, without its port.
  package var client: String
  /// The answer did not get through: the connection was lost first.
  package var isAborted: Bool
}

/// Where access records go: exactly one for each request. Called on an event loop, so it must not block.
package struct AccessLog: Sendable {
  /// Writes one record.
  package let write: @Sendable (AccessRecord) -> Void

  package init(_ write: @escaping @Sendable (AccessRecord) -> Void) { self.write = write }

  /// The log of the process, under the label `http`. Copies the record into a ring: no lock, no system call.
  package static let standard = AccessLog { record in
    log.info("\(record.method, "method") \(record.path, "path") \(record.status, "status")") {
      $0["request.id"] = record.requestID
      $0["route"] = record.route
      $0["bytes"] = record.bytes
      $0["duration_ms"] = record.durationMilliseconds
      $0["client"] = record.client
      if record.isAborted { $0["aborted"] = true }
    }
  }
}

private let log = Logger("http")
