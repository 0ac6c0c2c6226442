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
    #expect(configuration.inputs == [.init(name: "app", directory: "/dev/shm/treering-1000")])
    #expect(configuration.outputs == [.init(name: "archive", path: "archive/%Y-%m-%d.ndjson")])
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

  @Test func aPathFollowsTheDateInUTC() {
    let pattern = PathPattern("/a/%Y-%m-%d/%H.ndjson")
    #expect(pattern.path(at: 0) == "/a/1970-01-01/00.ndjson")
    #expect(pattern.path(at: 1_709_251_199_999_999_999) == "/a/2024-02-29/23.ndjson")
    #expect(pattern.path(at: 1_709_251_200_000_000_000) == "/a/2024-03-01/00.ndjson")
  }
}
