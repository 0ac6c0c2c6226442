import TreeRing

/// One record of every level, for each of several labels, and a line of two debug channels; then the same again, with other channels on.
enum Levels {
  static func run() {
    let labels = [Logger("http"), Logger("shop"), Logger("shop.checkout"), Logger("shop.db"), Logger("shopping")]
    for label in labels {
      for level in Level.allCases { label.log(level, "\(label.label, "label") \(level.name, "name")") }
    }
    let channels = [DebugChannel("shop:db"), DebugChannel("shop:http")]
    for channel in channels { channel("first \(channel.name, "channel")") }
    let before = DebugChannel.disable()
    for channel in channels { channel("never") }
    DebugChannel.enable("shop:http")
    for channel in channels { channel("second \(channel.name, "channel")") }
    DebugChannel.enable(before)
    for channel in channels { channel("third \(channel.name, "channel")") }
  }
}
