import Foundation
import Hummingbird
import Logging
import NIOPosix

/// The static files: a folder of the machine when one is configured, and an embedded welcome page where that has no
/// `index.html`, so that a fresh machine shows something.
///
/// Hidden files do not exist here: no part of a path may begin with a dot, which also rules out `..`.
struct StaticFiles: FileProvider {
  enum FileIdentifier: Sendable {
    case file(String)
    case welcomeFolder
    case welcomePage
  }

  struct FileAttributes: FileMiddlewareFileAttributes, Sendable {
    var isFolder: Bool
    var size: Int
    var modificationDate: Date
  }

  private let folder: LocalFileSystem?
  private let hasIndex: Bool

  /// - Throws: ``StartError`` when `directory` is not one. Blocking: looks at the file system.
  init(directory: String?, logger: Logger) throws(StartError) {
    guard let directory else {
      folder = nil
      hasIndex = false
      return
    }
    var isDirectory: ObjCBool = false
    let manager = FileManager.default
    guard unsafe manager.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue,
      manager.isReadableFile(atPath: directory)
    else { throw .staticFilesDirectory(path: directory) }
    folder = LocalFileSystem(rootFolder: directory, threadPool: .singleton, logger: logger)
    hasIndex = manager.fileExists(atPath: directory + "/index.html")
  }

  func getFileIdentifier(_ path: String) -> FileIdentifier? {
    guard Self.isVisible(path) else { return nil }
    if !hasIndex {
      if path == "/" { return .welcomeFolder }
      if path == "/index.html" { return .welcomePage }
    }
    return folder?.getFileIdentifier(path).map(FileIdentifier.file)
  }

  func getAttributes(id: FileIdentifier) async throws -> FileAttributes? {
    switch id {
    case .welcomeFolder: return FileAttributes(isFolder: true, size: 0, modificationDate: WelcomePage.modified)
    case .welcomePage:
      return FileAttributes(isFolder: false, size: WelcomePage.html.utf8.count, modificationDate: WelcomePage.modified)
    case .file(let path):
      guard let attributes = try await folder?.getAttributes(id: path) else { return nil }
      return FileAttributes(
        isFolder: attributes.isFolder, size: attributes.size, modificationDate: attributes.modificationDate)
    }
  }

  func loadFile(id: FileIdentifier, context: some RequestContext) async throws -> ResponseBody {
    guard case .file(let path) = id, let folder else {
      return ResponseBody(byteBuffer: ByteBuffer(string: WelcomePage.html))
    }
    return try await folder.loadFile(id: path, context: context)
  }

  func loadFile(id: FileIdentifier, range: ClosedRange<Int>, context: some RequestContext) async throws -> ResponseBody
  {
    guard case .file(let path) = id, let folder else {
      let bytes = Array(WelcomePage.html.utf8)
      return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes[range.clamped(to: 0...bytes.count - 1)]))
    }
    return try await folder.loadFile(id: path, range: range, context: context)
  }

  static func isVisible(_ path: String) -> Bool {
    !path.utf8.contains(0) && !path.split(separator: "/").contains { $0.hasPrefix(".") }
  }
}
