import HTTPTypes
import Hummingbird
import NIOCore

/// What a handler knows beside the request itself.
struct CompaniesContext: RequestContext {
  /// The largest body a request may have.
  static let bodyLimit = 64 * 1024

  var coreContext: CoreRequestContextStorage
  /// The connection.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }

  var maxUploadSize: Int { Self.bodyLimit }

  /// The matched route as it is written in the source. The package's own names for "none" and "a file" become ours.
  var route: String {
    switch endpointPath {
    case nil, "NotFound": Exchange.noRoute
    case "FileMiddleware": "static"
    case let path?: path
    }
  }
}

extension Request {
  /// The id the edge gave this request.
  var id: String { RequestID.field.flatMap { headers[$0] } ?? Exchange.noRoute }
}
