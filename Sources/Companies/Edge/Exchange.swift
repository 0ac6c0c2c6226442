import NIOCore
import NIOHTTP1

/// One request and its answer on one connection.
struct Exchange {
  let requestID: String
  let method: String
  let path: String
  let client: String
  let version: HTTPVersion
  let startedAt: NIODeadline
  /// The client asked for the connection to end with this answer.
  var closes: Bool
  /// The edge itself answers: the rest of the request is dropped.
  var isRefused = false
  var isRequestComplete = false
  var route = Exchange.noRoute
  var status: UInt = 0
  var bytes = 0

  /// What an access record says where nothing matched.
  static let noRoute = "-"
  /// nginx's status for a client that left before its answer.
  static let clientClosedRequest = 499
  static let maximumLoggedPathBytes = 1024

  init(head: HTTPRequestHead, requestID: String, client: String, at now: NIODeadline) {
    self.requestID = requestID
    self.client = client
    method = head.method.rawValue
    path = Self.loggedPath(of: head.uri)
    version = head.version
    closes = !head.isKeepAlive
    startedAt = now
  }

  /// A request whose head could not be read.
  init(unreadableFrom client: String, requestID: String, at now: NIODeadline) {
    self.requestID = requestID
    self.client = client
    method = "-"
    path = "-"
    version = .http1_1
    closes = true
    isRefused = true
    startedAt = now
  }

  var isHead: Bool { method == "HEAD" }

  /// The account of this exchange.
  func record(at now: NIODeadline, isAborted: Bool) -> AccessRecord {
    AccessRecord(
      requestID: requestID, method: method, path: path, route: route,
      status: status == 0 ? Self.clientClosedRequest : Int(status), bytes: bytes,
      durationMilliseconds: Double((now - startedAt).nanoseconds) / 1e6, client: client, isAborted: isAborted)
  }

  private static func loggedPath(of uri: String) -> String {
    let path = uri.prefix { $0 != "?" }
    guard path.utf8.count > maximumLoggedPathBytes else { return String(path) }
    return String(decoding: path.utf8.prefix(maximumLoggedPathBytes), as: UTF8.self)
  }
}
