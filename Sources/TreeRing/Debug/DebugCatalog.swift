import CTreeRing
import Glibc

/// The debug channels of a program, called or not, found in the program's own files: nothing is registered, and nothing is run to find them. Of this process
/// also those that only running it shows.
///
/// | where | what it gives | missing when |
/// |---|---|---|
/// | section `treering_channels` (ChannelNote.h) | channels called in code that was optimised, with file, line, description | a debug build; a property of an instance, or an argument, holds the channel |
/// | symbols of type `DebugChannel` and their initial data | global and static channels, with the variable's name | the file is stripped, or the optimiser has put the constant into its uses |
/// | `NamedChannels` | names made at run time so far | the channel was not made yet |
/// | `CalledChannels` | names of channels that have been called so far | the channel was not called yet |
///
/// So a release build lists every global, static and local channel that some call in it names, `strip` and the linker's `--gc-sections` or not. A debug build that has
/// its symbols lists the global and static ones. What a stripped debug build shows is the last two rows alone.
package struct DebugCatalog: Sendable {
  /// One channel.
  package struct Entry: Sendable, Equatable {
    package let name: String
    /// What it is for, in its author's words.
    package var about = ""
    /// Where it is called, `Shop/DB.swift:12`, sorted.
    package var calls: [String] = []
    /// The variables that hold it, such as `Shop.debug`.
    package var variables: [String] = []

    /// The best that is known of where it lives.
    package var place: String { calls.first ?? variables.first ?? "" }
  }

  private var byName: [[UInt8]: Entry] = [:]

  /// Nothing.
  package init() {}

  /// By name.
  package var entries: [Entry] { byName.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }

  /// What this process consists of: its program, its libraries, and the names it has made. Blocking; reads the files' tables, some 10 ms for each 10 MB of
  /// symbols.
  package static func ofThisProcess() -> DebugCatalog {
    var catalog = DebugCatalog()
    for path in LoadedFiles.paths(of: "self") { catalog.add(filesAt: path) }
    for channel in NamedChannels.shared.all { catalog.add(channel.name) { $0.about = channel.about } }
    for name in CalledChannels.names { catalog.add(name) { _ in } }
    return catalog
  }

  /// Adds the channels of a program or library that need not run. Nothing when it is none.
  package mutating func add(filesAt path: String) {
    guard let file = ELFFile(path: path) else { return }
    addNotes(of: file)
    addVariables(of: file)
  }

  private mutating func add(_ name: String, _ describe: (inout Entry) -> Void) {
    describe(&byName[Array(name.utf8), default: Entry(name: name)])
  }

  private mutating func addNotes(of file: ELFFile) {
    let size = MemoryLayout<TRChannelNote>.size
    for section in file.sections where section.name == "treering_channels" {
      guard let notes = file.bytes(of: section) else { continue }
      for at in stride(from: 0, through: notes.count - size, by: size) { addNote(notes, at, section, file) }
    }
  }

  private mutating func addNote(_ notes: [UInt8], _ at: Int, _ section: ELFFile.Section, _ file: ELFFile) {
    func text(_ field: Int) -> String? {
      let distance = Int64(Int32(bitPattern: notes.word32(at + field)))
      let address = section.address &+ UInt64(at + field) &+ UInt64(bitPattern: distance)
      return file.text(address: address, count: UInt64(notes.word32(at + field + 4)))
    }
    guard let name = text(0) else { return }
    let about = text(8) ?? ""
    let call = text(16).flatMap { $0.isEmpty ? nil : "\($0):\(notes.word32(at + 24))" }
    add(name) { entry in
      if entry.about.isEmpty { entry.about = about }
      if let call, !entry.calls.contains(call) { entry.calls = (entry.calls + [call]).sorted() }
    }
  }

  /// A variable whose mangled name ends in a struct type (`V`), `v` for variable and `p` for itself; a static one has a `Z` behind. Which struct, only the
  /// demangler can tell: a type's name is abbreviated by what stands before it.
  private mutating func addVariables(of file: ELFFile) {
    let symbols = file.symbols(.object, size: 32, endings: ["Vvp", "VvpZ"]).filter {
      SymbolName.demangled($0.name).hasSuffix(" : TreeRing.DebugChannel")
    }
    guard !symbols.isEmpty else { return }
    let pointers = file.relocations(at: Set(symbols.flatMap { [$0.address, $0.address &+ 16] }))
    for symbol in symbols {
      // Not in the file: set when the program runs, by code of its own.
      guard let data = file.read(address: symbol.address, count: 32) else { continue }
      func text(_ field: Int) -> String? {
        let place = symbol.address &+ UInt64(field)
        let start = pointers[place] ?? data.word64(field)
        return start == 0 ? nil : file.text(address: start, count: data.word64(field + 8))
      }
      guard let name = text(0) else { continue }
      let about = text(16) ?? ""
      let variable = SymbolName.variable(symbol.name)
      add(name) { entry in
        if entry.about.isEmpty { entry.about = about }
        if !entry.variables.contains(variable) { entry.variables = (entry.variables + [variable]).sorted() }
      }
    }
  }
}
