import CTreeRing

/// Copying text and looking at it on the way: 16 bytes at a time, whose moves overlap at the end, so nothing behind the text is read.
///
/// Premise: as in `OutputCursor.swift`; of every load, the bytes lie within `count`.
extension OutputCursor {
  /// Copies bytes that need no escape. False, and the cursor stays where it is, when one does.
  @inline(__always)
  mutating func plain(_ from: UnsafePointer<UInt8>, _ count: Int, for look: PlainText) -> Bool {
    let special = unsafe count >= 16 ? long(from, count, look) : short(from, count, look)
    guard special == 0 else { return false }
    unsafe at += count
    return true
  }

  @inline(__always)
  private func long(_ from: UnsafePointer<UInt8>, _ count: Int, _ look: PlainText) -> UInt64 {
    let last = count &- 16
    var special = unsafe look.move(from + last, to: at + last)
    var done = 0
    while done < last {
      special |= unsafe look.move(from + done, to: at + done)
      done &+= 16
    }
    return special
  }

  /// Fewer than 16 bytes, as two words that may overlap. What is not of them is blank, and stands where the next piece will.
  @inline(__always)
  private func short(_ from: UnsafePointer<UInt8>, _ count: Int, _ look: PlainText) -> UInt64 {
    let blanks: UInt64 = 0x2020_2020_2020_2020
    var (first, last, distance) = (blanks, blanks, 0)
    if count >= 8 {
      distance = count &- 8
      first = unsafe UnsafeRawPointer(from).loadUnaligned(as: UInt64.self)
      last = unsafe UnsafeRawPointer(from + distance).loadUnaligned(as: UInt64.self)
    } else if count >= 4 {
      distance = count &- 4
      first = unsafe UInt64(UnsafeRawPointer(from).loadUnaligned(as: UInt32.self)) | blanks &<< 32
      last = unsafe UInt64(UnsafeRawPointer(from + distance).loadUnaligned(as: UInt32.self)) | blanks &<< 32
    } else if count > 0 {
      // One, two or three bytes: the middle one is stored with the first, or is it.
      distance = count &- 1
      first = unsafe UInt64(from[0]) | UInt64(from[count / 2]) &<< 8 | blanks &<< 16
      last = unsafe UInt64(from[distance]) | blanks &<< 8
    }
    unsafe UnsafeMutableRawPointer(at).storeBytes(of: first.littleEndian, as: UInt64.self)
    unsafe UnsafeMutableRawPointer(at + distance).storeBytes(of: last.littleEndian, as: UInt64.self)
    return look.special(first, last)
  }
}

/// Which bytes stand as they are.
enum PlainText {
  /// Printable ASCII (``Escape/plainInText(_:)``).
  case text
  /// The same without quotes and backslashes (``Escape/plainInJSON(_:)``).
  case json

  /// Copies 16 bytes; not 0 when one is another.
  @inline(__always)
  func move(_ from: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> UInt64 {
    unsafe self == .text ? tr_move_text(target, from) : tr_move_json(target, from)
  }

  /// Not 0 when one of the words' bytes is another.
  @inline(__always)
  func special(_ first: UInt64, _ last: UInt64) -> UInt64 {
    self == .text ? tr_look_text(first, last) : tr_look_json(first, last)
  }
}
