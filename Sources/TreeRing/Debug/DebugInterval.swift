/// The time since a channel's previous line as a person reads it: `42ms`, `2s`, `3m`, `1h`, `7d`.
///
/// The text is that of npm `ms`, which npm `debug` prints: the unit is chosen before rounding, so 59,999 ms is `60s`;
/// halves round up, towards positive infinity, so -1,500 ms is `-1s`; below a second nothing is rounded (`1.25ms`).
package struct DebugInterval: Sendable {
  /// The interval; negative ones are allowed, for clocks that step back.
  package let milliseconds: Double

  /// Any value is taken. Those that are not finite, which npm throws on, print as JavaScript would print the number.
  package init(milliseconds: Double) {
    self.milliseconds = milliseconds
  }

  /// Whole milliseconds; exact up to 2⁵³, which is 285,000 years.
  package init(milliseconds: Int64) {
    self.init(milliseconds: Double(milliseconds))
  }

  /// The units from the largest down; what is shorter than a second is told in milliseconds.
  private static let units: [(name: String, milliseconds: Double)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
  ]
}

extension DebugInterval: CustomStringConvertible {
  /// The text. May allocate; cannot fail.
  package var description: String {
    for unit in Self.units where milliseconds.magnitude >= unit.milliseconds {
      return (milliseconds / unit.milliseconds).roundedHalfUp.javaScriptText + unit.name
    }
    return milliseconds.javaScriptText + "ms"
  }
}

extension Double {
  /// JavaScript's `Math.round`. `rounded()` takes halves away from zero, which differs below zero.
  fileprivate var roundedHalfUp: Double {
    let floor = rounded(.down)
    return self - floor >= 0.5 ? floor + 1 : floor
  }

  /// The number as JavaScript prints it (ECMA-262 6.1.6.1.20, Number::toString).
  ///
  /// Both languages print the shortest digits that read back as the same number. They differ in where the point and the
  /// exponent go: a nanosecond is `1e-06` in Swift and `0.000001` in JavaScript.
  fileprivate var javaScriptText: String {
    if isNaN { return "NaN" }
    if isInfinite { return self < 0 ? "-Infinity" : "Infinity" }
    if let whole = Int32(exactly: self) { return String(whole) }
    let sign = self < 0 ? "-" : ""
    return sign + ShortestDecimal(magnitude.description).javaScriptText
  }
}

/// A positive finite number as decimal digits, without zeros at either end, and the place of the point among them:
/// its value is 0.*digits* × 10^*point*.
private struct ShortestDecimal {
  private let digits: Substring
  private let point: Int

  /// Takes apart what Swift prints: `0.5`, `1250.0`, `1.5e-07`.
  init(_ description: String) {
    let halves = description.split(separator: "e")
    let parts = halves[0].split(separator: ".")
    let exponent = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
    let allDigits = parts.joined()
    let leadingZeros = allDigits.prefix { $0 == "0" }.count
    var significant = allDigits.dropFirst(leadingZeros)
    while significant.last == "0" { significant.removeLast() }
    digits = significant
    point = parts[0].count - leadingZeros + exponent
  }

  /// The digits with the point, zeros or exponent where JavaScript puts them. There are at most 17 digits.
  var javaScriptText: String {
    switch point {
    case digits.count...21: digits + zeros(point - digits.count)
    case 1...21: digits.prefix(point) + "." + digits.dropFirst(point)
    case -5...0: "0." + zeros(-point) + digits
    default: mantissa + (point > 0 ? "e+" : "e-") + String((point - 1).magnitude)
    }
  }

  /// One digit, and the others behind a point when there are any.
  private var mantissa: String {
    digits.count == 1 ? String(digits) : digits.prefix(1) + "." + digits.dropFirst()
  }

  private func zeros(_ count: Int) -> String {
    String(repeating: "0", count: count)
  }
}
