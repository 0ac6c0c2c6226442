import Testing
import TreeRing

@Suite struct DebugIntervalTests {
  @Test(arguments: try DebugCases.intervals())
  func readsAsNpm(row: DebugCases.Interval) {
    #expect(DebugInterval(milliseconds: row.ms).description == row.text)
    if let whole = Int64(exactly: row.ms) {
      #expect(DebugInterval(milliseconds: whole).description == row.text)
    }
  }

  /// Where Swift and JavaScript print the same number differently; the texts are node's.
  @Test(arguments: [
    (0.000001, "0.000001ms"), (0.0000015, "0.0000015ms"), (0.00000015, "1.5e-7ms"), (1e-7, "1e-7ms"),
    (.leastNonzeroMagnitude, "5e-324ms"), (-0.0, "0ms"), (-0.5, "-0.5ms"), (0.1 + 0.2, "0.30000000000000004ms"),
    (-999.9999999999999, "-999.9999999999999ms"), (999.9999999999999, "999.9999999999999ms"),
    (1e17, "1157407407d"), (1e28, "115740740740740740000d"),
    (1e29, "1.1574074074074073e+21d"), (-1e300, "-1.1574074074074075e+292d"),
    (86_400_000e21, "999999999999999900000d"), (86_400_000e20, "100000000000000000000d"),
  ])
  func printsNumbersAsJavaScript(milliseconds: Double, text: String) {
    #expect(DebugInterval(milliseconds: milliseconds).description == text)
  }

  @Test(arguments: [Int64.min, -1, 0, .max])
  func takesEveryInt64(milliseconds: Int64) {
    let texts: [Int64: String] = [.min: "-106751991167d", -1: "-1ms", 0: "0ms", .max: "106751991167d"]
    #expect(DebugInterval(milliseconds: milliseconds).description == texts[milliseconds])
  }

  @Test(arguments: [(Double.infinity, "Infinityd"), (-.infinity, "-Infinityd"), (.nan, "NaNms")])
  func takesWhatIsNotFinite(milliseconds: Double, text: String) {
    #expect(DebugInterval(milliseconds: milliseconds).description == text)
  }
}
