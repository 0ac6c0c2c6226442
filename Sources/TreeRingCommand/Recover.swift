import ArgumentParser
import Glibc
import TreeRing

/// `treering recover`: the last second before a crash.
struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finish what dead processes left in their rings, each record once.",
    discussion: """
      Records go to the end of the file that the process was writing. What no file can take goes to standard output, as NDJSON. \
      Then the ring files are removed: a second run writes nothing. Processes that live are left alone.
      """)

  @Argument(help: "Directories of ring files, or ring files. Default: $TREERING_DIR or the standard place.")
  var paths: [String] = []

  func run() throws {
    let recovery = Recovery(fallback: StreamSink(descriptor: STDOUT_FILENO, format: .json))
    var isWhole = true
    for path in try files() {
      do { tell(path, try recovery.recover(path)) } catch {
        Console.complain("\(error)")
        isWhole = false
      }
    }
    if !isWhole { throw ExitCode.failure }
  }

  private func files() throws -> [String] {
    var files: [String] = []
    for path in paths.isEmpty ? [RingDirectory.configured()] : paths {
      do {
        let status = try Syscalls.status(ofPath: path)
        files += status.st_mode & S_IFMT == S_IFDIR ? try RingDirectory.files(in: path) : [path]
      } catch let error as Errno {
        if paths.isEmpty, error.code == ENOENT { continue }
        Console.complain("cannot read \(path): \(error); name a directory of ring files, or a ring file")
        throw ExitCode.failure
      } catch {
        Console.complain("\(error)")
        throw ExitCode.failure
      }
    }
    return files
  }

  private func tell(_ path: String, _ outcome: Recovery.Outcome) {
    switch outcome {
    case .recovered(let records, let places, let settlement):
      let repeated = settlement == "unknown" ? "; its last batch may be there twice" : ""
      Console.complain("\(path): \(records) records to \(places.joined(separator: ", "))\(repeated)")
    case .alive: Console.complain("\(path): its process lives, left alone")
    case .busy: Console.complain("\(path): somebody else is reading it, left alone")
    case .gone: Console.complain("\(path): somebody else has finished it meanwhile")
    }
  }
}
