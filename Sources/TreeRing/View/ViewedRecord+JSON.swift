extension ViewedRecord {
  /// Reads a record of the contract's JSON (or bunyan's numbers for levels). Nil for any other line.
  package init?(line: [UInt8], keepsJSON: Bool) {
    guard line.first == UInt8(ascii: "{"), let members = JSONReader.object(line) else { return nil }
    var log = RecordedLog(level: .info, label: "", message: "")
    var pid: UInt32?
    var known: Set<String> = []
    for (key, value) in members {
      guard !known.contains(key), Self.take(key, value, &log, &pid) else {
        log.fields.append(.init(key: key, value: value))
        continue
      }
      known.insert(key)
    }
    guard known.isSuperset(of: ["time", "level", "msg"]) else { return nil }
    self.init(log, pid: pid, json: keepsJSON ? line : [])
  }

  /// Takes a member that every record has; false for a field, and for what has another type than it should.
  private static func take(_ key: String, _ value: RecordedValue, _ log: inout RecordedLog, _ pid: inout UInt32?)
    -> Bool
  {
    switch (key, value) {
    case ("time", .string(let text)):
      guard let time = Timestamp.nanoseconds(parsing: text) else { return false }
      log.nanosecondsSince1970 = time
    case ("level", .string(let name)):
      guard let level = Level(name: name) else { return false }
      log.level = level
    case ("level", .integer(let number)):
      guard let level = Level(bunyan: number) else { return false }
      log.level = level
    case ("msg", .string(let text)): log.message = text
    case ("logger", .string(let text)): log.label = text
    case ("ns", .string(let text)):
      log.label = text
      log.isDebugChannel = true
    case ("pid", .integer(let number)):
      guard let number = UInt32(exactly: number) else { return false }
      pid = number
    case ("ring", .string), ("seq", .integer): break
    case ("treering.truncated", .bool(let truth)): log.isTruncated = truth
    default: return false
    }
    return true
  }
}

extension Level {
  /// bunyan's number: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal; what lies between counts as the one below.
  fileprivate init?(bunyan number: Int128) {
    switch number {
    case 10..<20: self = .trace
    case 20..<30: self = .debug
    case 30..<40: self = .info
    case 40..<50: self = .warning
    case 50..<60: self = .error
    case 60..<70: self = .critical
    default: return nil
    }
  }
}

extension Timestamp {
  /// Reads RFC 3339: `2026-01-02T03:04:05.678901234Z`, or with an offset. What is finer than a nanosecond is cut. Nil before 1970, and for anything else.
  package static func nanoseconds(parsing text: String) -> UInt64? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count else { return nil }
      return bytes[range].reduce(Int64?(0)) { sum, byte in
        guard let sum, (0x30...0x39).contains(byte) else { return nil }
        return sum * 10 + Int64(byte - 0x30)
      }
    }
    func stands(_ characters: String, at index: Int) -> Bool {
      index < bytes.count && characters.utf8.contains(bytes[index])
    }
    guard let year = number(0..<4), stands("-", at: 4), let month = number(5..<7), stands("-", at: 7),
      let day = number(8..<10), stands("Tt ", at: 10), let hour = number(11..<13), stands(":", at: 13),
      let minute = number(14..<16), stands(":", at: 16), let second = number(17..<19), (1...12).contains(month),
      (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    var at = 19
    var fraction: Int64 = 0
    if stands(".", at: at) {
      at += 1
      var unit: Int64 = 100_000_000
      while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
        fraction += Int64(bytes[at] - 0x30) * unit
        unit /= 10
        at += 1
      }
    }
    var offset: Int64 = 0
    if stands("+-", at: at) {
      guard let hours = number(at + 1..<at + 3), stands(":", at: at + 3), let minutes = number(at + 4..<at + 6) else {
        return nil
      }
      offset = (hours * 60 + minutes) * (bytes[at] == UInt8(ascii: "-") ? -60 : 60)
      at += 6
    } else {
      guard stands("Zz", at: at) else { return nil }
      at += 1
    }
    guard at == bytes.count else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    // The year 2554 is the last that fits.
    return seconds >= 0 && seconds < 18_446_744_073 ? UInt64(seconds) * 1_000_000_000 + UInt64(fraction) : nil
  }

  /// Days since 1970 of a Gregorian date; the reverse of `date(daysSince1970:)`, by the same author.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
