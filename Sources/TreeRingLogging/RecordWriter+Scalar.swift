internal import TreeRing

extension RecordWriter {
  /// Writes a value of one of the types that metadata mostly have; false for any other. Comparing types costs a few instructions, where asking for a
  /// conformance costs hundreds.
  mutating func writeScalar<Value>(_ value: Value, _ key: LogKey) -> Bool {
    if Value.self == Int.self || Value.self == Int64.self {
      write(value, as: Int.self, key)
    } else if Value.self == Double.self {
      write(value, as: Double.self, key)
    } else if Value.self == Bool.self {
      write(value, as: Bool.self, key)
    } else if Value.self == String.self {
      write(value, as: String.self, key)
    } else if Value.self == UInt.self || Value.self == UInt64.self {
      write(value, as: UInt.self, key)
    } else if Value.self == Int32.self {
      write(value, as: Int32.self, key)
    } else if Value.self == UInt32.self {
      write(value, as: UInt32.self, key)
    } else if Value.self == UInt16.self {
      write(value, as: UInt16.self, key)
    } else {
      return false
    }
    return true
  }

  /// Premise: `Value` is `Scalar`, or an integer of the same size and sign.
  private mutating func write<Value, Scalar: LogValue>(_ value: Value, as type: Scalar.Type, _ key: LogKey) {
    // Where it lies: nothing is copied by a function that has to find out at run time how.
    let scalar = unsafe withUnsafePointer(to: value) { unsafe UnsafeRawPointer($0).load(as: type) }
    scalar.write(to: &self, key: key, fieldOnly: true)
  }
}
