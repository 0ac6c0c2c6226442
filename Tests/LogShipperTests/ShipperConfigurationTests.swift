import Foundation
import TestSupport
import Testing

@testable import LogShipper

/// What an operator writes, and what is said when it is wrong: file, line and key.
struct ShipperConfigurationTests {
  @Test func theSmallestConfigurationIsRead() throws {
    let configuration = try ShipperConfiguration(
      yaml: """
        data_dir: /var/lib/treering
        inputs:
          app: { type: rings, dir: /dev/shm/treering-1000 }
        outputs:
          archive: { type: file, path: "archive/%Y-%m-%d.ndjson" }
        """, file: "t.yaml")
    #expect(configuration.inputs.map(\.name) == ["app"])
    #expect(configuration.inputs.map(\.directory) == ["/dev/shm/treering-1000"])
    #expect(configuration.outputs.map(\.name) == ["archive"])
    #expect(configuration.outputs.map(\.path) == ["archive/%Y-%m-%d.ndjson"])
    #expect(configuration.resolve("archive/x") == "/var/lib/treering/archive/x")
    #expect(configuration.resolve("/srv/x") == "/srv/x")
  }

  @Test(arguments: [
    ("", "t.yaml: is empty"),
    ("[", "t.yaml: is not YAML"),
    ("- a", "t.yaml:1: the file: must be a mapping"),
    ("data_dir: /d\ninputs: {a: {type: rings}}", "outputs: is missing"),
    (
      "data_dir: d\ninputs: {a: {type: rings}}\noutputs: {b: {type: file, path: x}}",
      "t.yaml:1: data_dir: must be an absolute"
    ),
    ("data_dir: /d\ninput: {}\n", "t.yaml:2: input: is not known here"),
    ("data_dir: /d\ninputs: {}\noutputs: {b: {type: file, path: x}}", "t.yaml:2: inputs: needs at least one"),
    ("data_dir: /d\ninputs: {a: {type: tape}}\noutputs: {}", "t.yaml:2: inputs.a.type: tape is not available"),
    ("data_dir: /d\ninputs: {a: {type: rings, dri: /x}}\noutputs: {}", "inputs.a.dri: is not known here"),
    ("data_dir: /d\ninputs: {a: {type: rings}}\noutputs: {b: {type: file}}", "t.yaml:3: outputs.b.path: is missing"),
    (
      "data_dir: /d\ninputs: {a: {type: rings}}\noutputs:\n  b: {type: file, path: x, compress: gzip}",
      "t.yaml:4: outputs.b.compress: gzip is not available; available: none"
    ),
    ("data_dir: [1]\ninputs: {a: {type: rings}}\noutputs: {}", "t.yaml:1: data_dir: must be a text"),
  ])
  func whatIsWrongIsNamed(yaml: String, says: String) {
    #expect {
      try ShipperConfiguration(yaml: yaml, file: "t.yaml")
    } throws: { error in
      let text = "\(error)"
      return text.contains(says) && !text.contains("\n")
    }
  }

  /// Only looked at: what is missing is not made.
  @Test func placesThatCannotBeUsedAreNamed() throws {
    let directory = try TemporaryDirectory()
    let here = directory.path
    try "a file".write(toFile: here + "/file", atomically: false, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: here + "/folder.ndjson", withIntermediateDirectories: false)
    try FileManager.default.createDirectory(
      atPath: here + "/open", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    func problems(data: String = "data", rings: String = "rings", path: String = "a/%Y.ndjson") throws -> [String] {
      try ShipperConfiguration(
        yaml: """
          data_dir: \(here)/\(data)
          inputs:
            app: { type: rings, dir: \(here)/\(rings) }
          outputs:
            archive: { type: file, path: \(path) }
          """, file: "t.yaml"
      ).problems.map(\.description)
    }
    #expect(try problems() == [])
    let notThere = " \(here)/file is not a directory; name another place"
    #expect(try problems(data: "file", path: here + "/x.ndjson") == ["t.yaml:1: data_dir:" + notThere])
    #expect(try problems(path: here + "/file/x.ndjson") == ["t.yaml:5: outputs.archive.path:" + notThere])
    #expect(try problems(path: here + "/folder.ndjson").first?.contains("is not a regular file") == true)
    #expect(try problems(rings: "file").first?.hasPrefix("t.yaml:3: inputs.app.dir: the ring directory") == true)
    #expect(try problems(rings: "open").first?.contains("run: chmod 700 \(here)/open") == true)
    #expect(try problems(rings: "file/below").first?.contains("Not a directory") == true)
    #expect(directory.names(in: "") == ["file", "folder.ndjson", "open"])
  }

  @Test func aPathFollowsTheDateInUTC() {
    let pattern = PathPattern("/a/%Y-%m-%d/%H.ndjson")
    #expect(pattern.path(at: 0) == "/a/1970-01-01/00.ndjson")
    #expect(pattern.path(at: 1_709_251_199_999_999_999) == "/a/2024-02-29/23.ndjson")
    #expect(pattern.path(at: 1_709_251_200_000_000_000) == "/a/2024-03-01/00.ndjson")
  }
}
