import TestSupport
import Testing

@Suite struct AllocationTests {
  /// In the release build, which is what users run, and in the debug build.
  @Test(arguments: [(BuiltProducts.release("AllocationProbe"), 14), ("AllocationProbe", 12)])
  func aCallAllocatesNothing(program: String, kinds: Int) throws {
    let directory = try TemporaryDirectory()
    let probe = try ChildProcess(program, ["5000"], environment: ["TREERING_DIR": directory.file("rings")])
    let lines = probe.readAll().split(separator: "\n")
    #expect(probe.wait() == .exit(0), "\(lines)")
    #expect(lines.filter { $0.contains(": 0 allocations, 5000 records, 0 dropped") }.count == kinds)
    #expect(lines.last?.hasPrefix("description of a type: 0 ") == false, "the counter counts what does allocate")
  }
}
