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

  /// The log of the process.
  package static let standard = ErrorLog { _ in }
}
