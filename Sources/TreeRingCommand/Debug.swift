import ArgumentParser
import Glibc
import TreeRing

/// `treering debug`: debug channels and levels of processes that run.
struct Debug: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List and switch debug channels and levels of running processes.",
    discussion: """
      Speaks to each process through a socket beside its ring file, which only its own user and root may use. Every change is logged by the \
      process. With --for it falls back by itself when the time is over.

        treering debug list
        treering debug enable 'shop:*,-shop:noise' --for 10m
        treering debug add 'shop.checkout=trace' --pid 4711
        treering debug add --for 10m -- '-shop:noise'
        treering debug list ./.build/release/shop
      """,
    subcommands: [List.self, Enable.self, Add.self, Disable.self, Levels.self], defaultSubcommand: List.self)
}

/// Which processes are meant, and how the answer is printed.
struct DebugTarget: ParsableArguments {
  @Option(help: "Only this process. Default: every process in the directory.")
  var pid: Int32?

  @Option(name: .customLong("dir"), help: "The directory of ring files. Default: $TREERING_DIR or the standard place.")
  var directory: String?

  @Flag(help: "Print one JSON object per line.")
  var json = false

  /// Sends `command` to each process, and hands each answer to `show`. Throws exit code 1 when one failed, or there was none to ask.
  func ask(_ command: ControlCommand, _ show: ([ControlLine], DebugTarget) -> Void) throws {
    let targets = try targets()
    var answers = 0
    var isWhole = true
    for target in targets {
      do {
        guard let lines = try ControlClient.ask(target, command) else { continue }
        answers += 1
        for line in lines where line.kind == "note" { Console.complain(line[0]) }
        show(lines, self)
      } catch {
        Console.complain("\(error)")
        isWhole = false
      }
    }
    if answers == 0, isWhole {
      let whom = pid.map { "process \($0) cannot" } ?? "no process can"
      Console.complain("\(whom) be asked in \(place): programs that log with TreeRing are there while they run")
    }
    if answers == 0 || !isWhole { throw ExitCode.failure }
  }

  private var place: String { directory ?? RingDirectory.configured() }

  private func targets() throws -> [ControlClient.Target] {
    do {
      guard try RingDirectory.exists(place) else { return [] }
      return try ControlClient.targets(in: place).filter { pid == nil || $0.pid == pid }
    } catch {
      Console.complain("\(error)")
      throw ExitCode.failure
    }
  }
}

/// How long a change holds.
struct TimeLimit: ParsableArguments {
  @Option(name: .customLong("for"), help: "Fall back after this time, such as 30s, 10m or 2h. Default: it stays.")
  var time: String?

  func validate() throws { _ = try seconds() }

  /// Nil: for ever.
  func seconds() throws -> Int? {
    guard let time else { return nil }
    let units = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = time.last.flatMap { units[String($0)] }
    let number = Int(unit == nil ? time : String(time.dropLast()))
    guard let number, case let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1), !overflow,
      1...ControlCommand.longest ~= seconds
    else { throw ValidationError("--for must be a time such as 30s, 10m or 2h, not '\(time)'") }
    return seconds
  }
}

extension Debug {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List debug channels, called or not: on or off, and why; where they are; what for.")

    @OptionGroup var target: DebugTarget

    @Argument(help: "Programs that need not run, instead of running processes.")
    var programs: [String] = []

    func run() throws {
      if programs.isEmpty { return try target.ask(.list, DebugTable.show) }
      for program in programs {
        guard (try? Syscalls.status(ofPath: program)) != nil else {
          Console.complain("there is no program \(program)")
          throw ExitCode.failure
        }
        var catalog = DebugCatalog()
        catalog.add(filesAt: program)
        DebugTable.show(program, DebugListing(catalog, .off), target)
      }
    }
  }

  struct Enable: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Switch on exactly these channels; NAME=LEVEL sets the level of loggers.")

    @OptionGroup var target: DebugTarget
    @OptionGroup var limit: TimeLimit

    @Argument(help: "Channels as in DEBUG, such as 'shop:*,-shop:noise'. One that begins with '-' stands behind '--'.")
    var channels: String

    func run() throws { try target.ask(.enable(channels, forSeconds: limit.seconds()), DebugTable.show) }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Switch on these channels beside those that are on.")

    @OptionGroup var target: DebugTarget
    @OptionGroup var limit: TimeLimit

    @Argument(help: "Channels as in DEBUG; '-name' takes one away, and stands behind '--', which ends the options.")
    var channels: String

    func run() throws { try target.ask(.add(channels, forSeconds: limit.seconds()), DebugTable.show) }
  }

  struct Disable: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Switch every channel off.")

    @OptionGroup var target: DebugTarget
    @OptionGroup var limit: TimeLimit

    func run() throws { try target.ask(.disable(forSeconds: limit.seconds()), DebugTable.show) }
  }

  struct Levels: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the levels of loggers, or set them.")

    @OptionGroup var target: DebugTarget
    @OptionGroup var limit: TimeLimit

    @Argument(help: "Levels as in TREERING_LEVEL, such as 'info,http=debug'.")
    var levels: String?

    func run() throws {
      let command = try levels.map { ControlCommand.setLevels($0, forSeconds: try limit.seconds()) } ?? .levels
      try target.ask(command, DebugTable.show)
    }
  }
}
