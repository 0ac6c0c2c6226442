import TreeRing
import Yams

/// What is wrong with a configuration: file, line and key, and what to write instead.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ file: String, _ node: Node?, _ problem: String) { self.init(file, line: node?.mark?.line, problem) }

  init(_ file: String?, line: Int?, _ problem: String) {
    description = (file.map { $0 + (line.map { ":\($0)" } ?? "") + ": " } ?? "") + problem
  }
}

extension ShipperConfiguration {
  /// Reads a configuration file's text. `file` is its name, for errors.
  package init(yaml text: String, file: String) throws(ConfigurationError) {
    let root: Node?
    do { root = try Yams.compose(yaml: text) } catch {
      throw ConfigurationError(file, nil, "is not YAML: \(Self.oneLine("\(error)"))")
    }
    guard let root else { throw ConfigurationError(file, nil, "is empty; it needs data_dir, inputs and outputs") }
    let reader = try SectionReader(file: file, node: root, path: "")
    try reader.allow(["data_dir", "inputs", "outputs"])
    dataDirectory = try reader.string("data_dir")
    guard dataDirectory.hasPrefix("/") else {
      throw ConfigurationError(
        file, reader.child("data_dir"), "data_dir: must be an absolute path, not \(dataDirectory)")
    }
    inputs = try reader.sections("inputs", Self.input)
    outputs = try reader.sections("outputs", Self.output)
    self.file = file
    line = reader.line("data_dir")
  }

  private static func input(_ name: String, _ section: SectionReader) throws(ConfigurationError) -> Input {
    try section.expect("type", oneOf: ["rings"])
    try section.allow(["type", "dir"])
    var input = Input(name: name, directory: try section.string("dir", default: RingDirectory.configured()))
    input.line = section.line("dir") ?? section.line("type")
    return input
  }

  private static func output(_ name: String, _ section: SectionReader) throws(ConfigurationError) -> Output {
    try section.expect("type", oneOf: ["file"])
    try section.allow(["type", "path", "compress"])
    if section.child("compress") != nil { try section.expect("compress", oneOf: ["none"]) }
    var output = Output(name: name, path: try section.string("path"))
    output.line = section.line("path")
    return output
  }

  private static func oneLine(_ text: String) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
  }
}

/// One mapping of the file, with the path of keys that leads to it.
struct SectionReader {
  private let file: String
  private let path: String
  private let node: Node
  private let mapping: Node.Mapping

  init(file: String, node: Node, path: String) throws(ConfigurationError) {
    guard let mapping = node.mapping else {
      throw ConfigurationError(file, node, "\(path.isEmpty ? "the file" : path): must be a mapping of keys to values")
    }
    self.file = file
    self.path = path
    self.node = node
    self.mapping = mapping
  }

  func child(_ key: String) -> Node? { mapping[Node(key)] }

  func line(_ key: String) -> Int? { child(key)?.mark?.line }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Refuses keys that nobody reads: they are misspelt more often than meant.
  func allow(_ keys: [String]) throws(ConfigurationError) {
    for (key, _) in mapping where !keys.contains(key.string ?? "") {
      throw ConfigurationError(
        file, key, "\(name(key.string ?? "?")): is not known here; known are \(keys.joined(separator: ", "))")
    }
  }

  func string(_ key: String, default value: String? = nil) throws(ConfigurationError) -> String {
    guard let child = child(key) else {
      if let value { return value }
      throw ConfigurationError(file, node, "\(name(key)): is missing")
    }
    guard let text = child.string, !text.isEmpty else {
      throw ConfigurationError(file, child, "\(name(key)): must be a text")
    }
    return text
  }

  func expect(_ key: String, oneOf allowed: [String]) throws(ConfigurationError) {
    let value = try string(key)
    guard allowed.contains(value) else {
      throw ConfigurationError(
        file, child(key), "\(name(key)): \(value) is not available; available: \(allowed.joined(separator: ", "))")
    }
  }

  /// The members of a mapping of names to mappings, at least one.
  func sections<Result>(
    _ key: String, _ read: (String, SectionReader) throws(ConfigurationError) -> Result
  ) throws(ConfigurationError) -> [Result] {
    guard let child = child(key) else { throw ConfigurationError(file, node, "\(name(key)): is missing") }
    let all = try SectionReader(file: file, node: child, path: name(key))
    guard !all.mapping.isEmpty else { throw ConfigurationError(file, child, "\(name(key)): needs at least one") }
    var results: [Result] = []
    for (label, body) in all.mapping {
      let label = label.string ?? "?"
      results.append(try read(label, try SectionReader(file: file, node: body, path: "\(name(key)).\(label)")))
    }
    return results
  }
}
