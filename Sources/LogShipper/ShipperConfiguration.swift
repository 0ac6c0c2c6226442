/// What the shipper does: inputs, outputs, and where it keeps its own data. Every input flows to every output.
package struct ShipperConfiguration: Sendable, Equatable {
  /// Where relative paths of outputs begin.
  package var dataDirectory: String
  package var inputs: [Input]
  package var outputs: [Output]
  /// The file it was read from; nil when it was not.
  var file: String?
  /// Where in the file `data_dir` stands.
  var line: Int?

  package init(dataDirectory: String, inputs: [Input], outputs: [Output]) {
    self.dataDirectory = dataDirectory
    self.inputs = inputs
    self.outputs = outputs
  }

  /// `type: rings`: the ring files of a directory.
  package struct Input: Sendable, Equatable {
    package var name: String
    package var directory: String
    /// Where in the file it stands.
    var line: Int?

    package init(name: String, directory: String) {
      self.name = name
      self.directory = directory
    }
  }

  /// `type: file`: NDJSON files whose names follow the date.
  package struct Output: Sendable, Equatable {
    package var name: String
    package var path: String
    /// Where in the file it stands.
    var line: Int?

    package init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  /// A path of the configuration as an absolute one.
  func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : dataDirectory + "/" + path }
}
