internal import Logging
internal import TreeRing

/// Where an event belongs in a distributed trace: the fields that OpenTelemetry names for logs that are not sent by its own protocol, `trace_id`, `span_id` and
/// `trace_flags` (OpenTelemetry specification, "Trace Context in non-OTLP Log Formats").
///
/// The ids are the tracer's own matter. What every tracer can do is to write them into the headers of an outgoing request, so that is what it is asked for:
/// W3C's `traceparent`, and the headers of B3.
struct TraceContext: Sendable {
  private(set) var traceID: Substring = ""
  private(set) var spanID: Substring = ""
  private(set) var flags: Substring = ""

  /// Whether one of the fields stands in metadata that win over it.
  func isHidden(by metadata: Logging.Logger.Metadata?) -> Bool {
    guard let metadata, !metadata.isEmpty else { return false }
    return metadata["trace_id"] != nil || metadata["span_id"] != nil
  }
}

extension TraceContext {
  /// Takes one header of a request. What is no id is ignored.
  mutating func take(_ value: String, header: String) {
    switch header {
    case "traceparent": takeTraceParent(value)
    case "b3": takeB3(value)
    case "X-B3-TraceId", "x-b3-traceid": traceID = Self.id(value[...], [32, 16])
    case "X-B3-SpanId", "x-b3-spanid": spanID = Self.id(value[...], [16])
    default: break
    }
  }

  /// `00-<trace id>-<span id>-<flags>` (W3C Trace Context, 3.2).
  private mutating func takeTraceParent(_ value: String) {
    let parts = value.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff" else { return }
    (traceID, spanID, flags) = (Self.id(parts[1], [32]), Self.id(parts[2], [16]), Self.digits(parts[3], [2]))
  }

  /// `<trace id>-<span id>`, and more that is not for a log.
  private mutating func takeB3(_ value: String) {
    let parts = value.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 2 else { return }
    (traceID, spanID) = (Self.id(parts[0], [32, 16]), Self.id(parts[1], [16]))
  }

  /// Hexadecimal digits, and not all of them zero.
  private static func id(_ text: Substring, _ lengths: [Int]) -> Substring {
    text.utf8.contains { $0 != UInt8(ascii: "0") } ? digits(text, lengths) : ""
  }

  private static func digits(_ text: Substring, _ lengths: [Int]) -> Substring {
    lengths.contains(text.utf8.count) && text.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit } ? text : ""
  }
}

extension RecordPlace {
  /// Writes the ids as fields.
  func writing(_ trace: TraceContext) -> RecordPlace {
    writing { writer in
      trace.traceID.write(to: &writer, key: "trace_id", fieldOnly: true)
      trace.spanID.write(to: &writer, key: "span_id", fieldOnly: true)
      if !trace.flags.isEmpty { trace.flags.write(to: &writer, key: "trace_flags", fieldOnly: true) }
    }
  }
}
