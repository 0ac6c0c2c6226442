/// The colour of a debug channel, derived from its name as npm `debug` does (`selectColor`), so that a channel has the
/// same colour in every process and in every language.
package struct DebugColor: Sendable, Equatable {
  /// The number of the colour: 1–6 of the basic palette, 20–221 of the extended one.
  package let code: UInt8

  /// Picks the colour of the channel `name`. O(length of `name`), no allocation, cannot fail.
  package init(for name: String, in palette: Palette) {
    let colors = palette.colors
    // The magnitude is unsigned: three names of the case file hash to Int32.min, of which `abs` traps.
    code = colors[Int(Self.hash(name).magnitude) % colors.count]
  }

  /// 31·h + unit over the UTF-16 units of `name`, wrapping at 32 bits as JavaScript's `| 0` does.
  package static func hash(_ name: String) -> Int32 {
    name.utf16.reduce(0) { hash, unit in hash &* 31 &+ Int32(unit) }
  }
}

extension DebugColor {
  /// The colours to pick from. Their order and number decide which channel gets which.
  package enum Palette: Sendable, CaseIterable {
    /// The six colours that every terminal has: cyan, green, yellow, blue, magenta, red.
    case basic

    /// Those 76 of the 256 colours that are readable on light and dark.
    case extended

    /// The numbers of the colours, in npm's order.
    package var colors: [UInt8] {
      switch self {
      case .basic: Self.basicColors
      case .extended: Self.extendedColors
      }
    }

    private static let basicColors: [UInt8] = [6, 2, 3, 4, 5, 1]

    private static let extendedColors: [UInt8] = [
      20, 21, 26, 27, 32, 33, 38, 39, 40, 41, 42, 43, 44, 45, 56, 57, 62, 63, 68, 69, 74, 75, 76, 77, 78, 79, 80, 81,
      92, 93, 98, 99, 112, 113, 128, 129, 134, 135, 148, 149, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170,
      171, 172, 173, 178, 179, 184, 185, 196, 197, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 214,
      215, 220, 221,
    ]
  }
}
