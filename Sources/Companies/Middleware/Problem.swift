import Foundation
import HTTPTypes
import Hummingbird

/// Problem details (RFC 9457): the body of every answer that is an error, from the router and from the edge alike.
///
/// The title tells the problem; `type` stays `about:blank`, which RFC 9457, 4.2.1 defines as "nothing beyond the
/// status".
struct Problem: Encodable, Sendable {
  static let mediaType = "application/problem+json"

  var type = "about:blank"
  var title: String
  var status: Int
  var detail: String?
  var instance: String?
  var requestID: String?
  var errors: [AppError.Violation]?
  /// Development only, and only for a 5xx: the error's Swift type and where it was raised.
  var exception: String?
  var file: String?
  var line: UInt?

  enum CodingKeys: String, CodingKey {
    case type, title, status, detail, instance, errors, exception, file, line
    case requestID = "request_id"
  }

  init(_ status: HTTPResponse.Status, detail: String? = nil, requestID: String? = nil) {
    title = status.reasonPhrase
    self.status = status.code
    self.detail = detail
    self.requestID = requestID
  }

  init(_ refusal: ConnectionState.Refusal, requestID: String) {
    self.init(refusal.status, detail: refusal.detail, requestID: requestID)
  }

  /// The JSON text.
  func encoded() -> [UInt8] {
    // A struct of strings and integers always encodes; were that ever untrue, an empty body beats no answer.
    (try? Array(JSONEncoder.house.encode(self))) ?? []
  }

  func response(headers: HTTPFields = [:]) -> Response {
    var headers = headers
    headers[.contentType] = Self.mediaType
    return Response(
      status: HTTPResponse.Status(code: status, reasonPhrase: title), headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: encoded())))
  }
}

extension ConnectionState.Refusal {
  var status: HTTPResponse.Status {
    self == .headTooLarge ? .requestHeaderFieldsTooLarge : .badRequest
  }

  var detail: String {
    switch self {
    case .missingHost: "an HTTP/1.1 request names its Host"
    case .repeatedHost: "a request has one Host"
    case .malformed: "this is not an HTTP request"
    case .headTooLarge: "the request line and the header fields are too large"
    }
  }
}

extension JSONEncoder {
  /// Keys in order, so that the same thing is always the same text. Made anew: an encoder is not Sendable.
  static var house: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
