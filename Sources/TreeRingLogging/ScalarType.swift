internal import Logging

/// What lies in a `.stringConvertible` of one of the types that metadata mostly have. Comparing types costs an instruction or two, where a cast costs a hundred, and asking for a
/// conformance hundreds.
enum Scalar {
  case int(UInt64)
  case uint(UInt64)
  case double(UInt64)
  case bool(Bool)
  case string(String)
}

/// Premise of every unsafe line: an existential value of a protocol that is not bound to classes is five words: three that hold a value of up to three words itself, then the
/// value's type, then the conformance (the Swift ABI's "opaque existential container"). Every scalar here is smaller than three words.
enum ScalarType {
  @unsafe
  private struct Container {
    let first: UInt64
    let second: UInt64
    let third: UInt64
    let type: ObjectIdentifier
    let conformance: UInt64
  }

  /// Nil for a value of any other type.
  @inline(__always)
  static func scalar(in convertible: any CustomStringConvertible & Sendable) -> Scalar? {
    let container = unsafe container(of: convertible)
    let type = unsafe container.type
    let bits = unsafe container.first
    if type == ObjectIdentifier(Int.self) { return .int(bits) }
    if type == ObjectIdentifier(Double.self) { return .double(bits) }
    if type == ObjectIdentifier(Bool.self) { return .bool(bits & 1 != 0) }
    if type == ObjectIdentifier(String.self) {
      return .string(unsafe unsafeBitCast((bits, container.second), to: String.self))
    }
    if type == ObjectIdentifier(Int64.self) { return .int(bits) }
    if type == ObjectIdentifier(Int32.self) { return .int(signed(Int32(truncatingIfNeeded: bits))) }
    if type == ObjectIdentifier(UInt.self) || type == ObjectIdentifier(UInt64.self) { return .uint(bits) }
    if type == ObjectIdentifier(UInt32.self) { return .uint(bits & 0xFFFF_FFFF) }
    if type == ObjectIdentifier(UInt16.self) { return .uint(bits & 0xFFFF) }
    return nil
  }

  private static func signed(_ value: Int32) -> UInt64 { UInt64(bitPattern: Int64(value)) }

  private static func type(of convertible: any CustomStringConvertible & Sendable) -> ObjectIdentifier {
    unsafe container(of: convertible).type
  }

  @inline(__always)
  private static func container(of convertible: any CustomStringConvertible & Sendable) -> Container {
    // The cast keeps the compiler from taking the value out of its container first.
    unsafe unsafeBitCast(convertible as any CustomStringConvertible & Sendable, to: Container.self)
  }

  /// Whether it is a string with swift-log's attributes, whose type swift-log keeps to itself.
  static func hasAttributes(_ convertible: any CustomStringConvertible & Sendable) -> Bool {
    type(of: convertible) == attributed
  }

  /// Whether a value of this type says the same whenever it is asked.
  static func isFixed(_ convertible: any CustomStringConvertible & Sendable) -> Bool {
    fixed.contains(type(of: convertible))
  }

  private static let attributed: ObjectIdentifier = {
    guard case .stringConvertible(let carrier) = Logging.Logger.MetadataValue.attributed("", attributes: []) else {
      return ObjectIdentifier(Never.self)
    }
    return type(of: carrier)
  }()

  private static let fixed: Set<ObjectIdentifier> = [
    ObjectIdentifier(Int.self), ObjectIdentifier(Int8.self), ObjectIdentifier(Int16.self),
    ObjectIdentifier(Int32.self), ObjectIdentifier(Int64.self), ObjectIdentifier(UInt.self),
    ObjectIdentifier(UInt8.self), ObjectIdentifier(UInt16.self), ObjectIdentifier(UInt32.self),
    ObjectIdentifier(UInt64.self), ObjectIdentifier(Double.self), ObjectIdentifier(Float.self),
    ObjectIdentifier(Bool.self), ObjectIdentifier(String.self), ObjectIdentifier(Substring.self),
    ObjectIdentifier(Character.self), ObjectIdentifier(Duration.self), attributed,
  ]
}
