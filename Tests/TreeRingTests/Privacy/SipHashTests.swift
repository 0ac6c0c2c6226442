import Testing

@testable import TreeRing

@Suite struct SipHashTests {
  /// The vectors of the reference implementation: the key 00 01 … 0f, and the inputs "", 00, 00 01, and so on.
  @Test(
    arguments: [
      (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a), (3, 0x8567_6696_d7fb_7e2d),
      (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5), (63, 0x958a_324c_eb06_4572),
    ] as [(UInt8, UInt64)])
  func agreesWithTheReferenceImplementation(_ count: UInt8, _ expected: UInt64) {
    var hash = SipHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
    for byte in 0..<count { hash.combine(byte) }
    #expect(hash.finish() == expected)
  }

  @Test func theKeyMatters() {
    func hash(_ key: (UInt64, UInt64)) -> UInt64 {
      var hash = SipHash(key: key)
      hash.combine(1 as UInt8)
      return hash.finish()
    }
    #expect(Set([hash((0, 0)), hash((1, 0)), hash((0, 1)), hash(SipHash.processKey)]).count == 4)
  }
}
