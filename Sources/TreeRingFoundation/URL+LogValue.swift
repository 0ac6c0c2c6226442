public import FoundationEssentials
public import TreeRing

extension URL: LogValue {
  /// Writes the address without what it says of a user's password: `https://user:[redacted]@host/path`. Allocates.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    withoutPassword.write(to: &writer, key: key, fieldOnly: fieldOnly)
  }

  private var withoutPassword: String {
    guard password(percentEncoded: true) != nil, let at = absoluteString.firstIndex(of: "@") else {
      return absoluteString
    }
    let beforeAt = absoluteString[..<at]
    guard let colon = beforeAt.lastIndex(of: ":") else { return absoluteString }
    return beforeAt[...colon] + "[redacted]" + absoluteString[at...]
  }
}
