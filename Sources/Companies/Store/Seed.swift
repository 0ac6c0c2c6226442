/// The companies a new store begins with: made up, plausible, and the same on every machine.
enum Seed {
  static let count = 300

  static func companies() -> [NewCompany] {
    var random = SplitMix64(state: 0x5EED)
    return (0..<count).map { company($0, &random) }
  }

  /// Every pair of a stem and a trade is taken once before one is repeated, so names are unique up to `stems × trades`.
  private static func company(_ index: Int, _ random: inout SplitMix64) -> NewCompany {
    let trade = trades[index / stems.count % trades.count]
    let place = places[Int(random.next() % UInt64(places.count))]
    let size = 1 << (random.next() % 14)
    return NewCompany(
      name: "\(stems[index % stems.count]) \(trade.name) \(place.form)", city: place.city, country: place.country,
      industry: trade.industry, employees: Int(UInt64(size) + random.next() % UInt64(size)),
      founded: 1880 + Int(random.next() % 140))
  }

  private static let stems = [
    "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivory", "Juniper", "Katsura", "Larch",
    "Maple", "Nutmeg", "Oak", "Pine", "Quince", "Rowan", "Spruce", "Tamarind", "Ulmus", "Viburnum", "Willow", "Yew",
    "Zelkova",
  ]

  private static let trades = [
    (name: "Analytics", industry: "software"), (name: "Foods", industry: "food"),
    (name: "Robotics", industry: "machinery"), (name: "Logistics", industry: "transport"),
    (name: "Textiles", industry: "textiles"), (name: "Energy", industry: "energy"),
    (name: "Instruments", industry: "optics"), (name: "Publishing", industry: "media"),
    (name: "Pharma", industry: "medicine"), (name: "Timber", industry: "forestry"),
    (name: "Shipyards", industry: "shipbuilding"), (name: "Ceramics", industry: "ceramics"),
  ]

  private static let places = [
    (city: "Oslo", country: "NO", form: "AS"), (city: "Stockholm", country: "SE", form: "AB"),
    (city: "Copenhagen", country: "DK", form: "ApS"), (city: "Helsinki", country: "FI", form: "Oy"),
    (city: "Berlin", country: "DE", form: "GmbH"), (city: "Vienna", country: "AT", form: "GmbH"),
    (city: "Zürich", country: "CH", form: "AG"), (city: "Paris", country: "FR", form: "SA"),
    (city: "Milan", country: "IT", form: "Srl"), (city: "Porto", country: "PT", form: "Lda"),
    (city: "Seville", country: "ES", form: "SL"), (city: "London", country: "GB", form: "Ltd"),
    (city: "Boston", country: "US", form: "Inc"), (city: "Toronto", country: "CA", form: "Inc"),
    (city: "São Paulo", country: "BR", form: "Ltda"), (city: "Taipei", country: "TW", form: "Co"),
    (city: "Osaka", country: "JP", form: "KK"), (city: "Seoul", country: "KR", form: "Co"),
  ]
}

/// Sebastiano Vigna's splitmix64: the same numbers everywhere, unlike the system's generator.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
