import Testing
import TreeRing

@Suite struct DebugColorTests {
  @Test func palettesAreNpms() throws {
    let colors = try DebugCases.colors()
    #expect(DebugColor.Palette.basic.colors == colors.basicPalette)
    #expect(DebugColor.Palette.extended.colors == colors.extendedPalette)
  }

  @Test func everyChannelHasNpmsColor() throws {
    let rows = try DebugCases.colors().cases
    try #require(!rows.isEmpty)
    for row in rows {
      #expect(DebugColor.hash(row.namespace) == row.hash, "\(row.namespace.debugDescription)")
      #expect(DebugColor(for: row.namespace, in: .basic).code == row.basic, "\(row.namespace.debugDescription)")
      #expect(DebugColor(for: row.namespace, in: .extended).code == row.extended, "\(row.namespace.debugDescription)")
    }
  }

  /// The absolute value of this hash is no `Int32`.
  @Test func smallestHashHasAColor() {
    #expect(DebugColor.hash("polygenelubricants") == .min)
    #expect(DebugColor(for: "polygenelubricants", in: .basic).code == 3)
    #expect(DebugColor(for: "polygenelubricants", in: .extended).code == 198)
  }
}
