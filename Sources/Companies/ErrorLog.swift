import TreeRing

/// A request that failed on our side.
package struct ErrorRecord: Sendable {
  package var requestID: String
  package var method: String
  package var path: String
  package var route: String
  package var status: Int
  package var error: any Error
}

/// Where failures go: one record for each answer with a 5xx status that an error caused, and for each answer that broke
/// off.
package struct ErrorLog: Sendable {
  /// Writes one record.
  package let write: @Sendable (ErrorRecord) -> Void

  package init(_ write: @escaping @Sendable (ErrorRecord) -> Void) { self.write = write }

  /// The log of the process, under the label `http.error`.
  package static let standard = ErrorLog { record in
    log.error("\(record.method, "method") \(record.path, "path") failed", record.error) {
      $0["request.id"] = record.requestID
      $0["route"] = record.route
      $0["status"] = record.status
    }
  }
}

private let log = Logger("http.error")
