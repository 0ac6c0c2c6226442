import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// Every kind of value, from a call through a record into JSON: its type and its value are kept.
@Suite struct ValueTests {
  private struct Point { let x: Int }
  private struct Money: LogValue {
    let cents: Int
    func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
      cents.write(to: &writer, key: key, fieldOnly: fieldOnly)
    }
  }

  private struct Address: LogValue {
    let city: String
    let codes: [Int]
    func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
      writer.group(key: key, fieldOnly: fieldOnly) { writer in
        city.write(to: &writer, key: "city", fieldOnly: fieldOnly)
        codes.write(to: &writer, key: "codes", fieldOnly: fieldOnly)
      }
    }
  }

  /// The token behind `"v":`, as it stands in the line, so that no reader can hide a difference.
  private func token(_ value: some LogValue) throws -> String {
    let line = try EncodedRecord({ "" }, fields: { $0["v"] = value }).json().line
    let range = try #require(line.range(of: "\"v\":"))
    return String(line[range.upperBound...].dropLast())
  }

  @Test func integersAreExact() throws {
    #expect(try token(Int64.min) == "-9223372036854775808")
    #expect(try token(Int64.max) == "9223372036854775807")
    #expect(try token(UInt64.max) == "18446744073709551615")
    #expect(try token(UInt.max) == "18446744073709551615")
    #expect(try token(Int8.min) == "-128")
    #expect(try token(Int16.min) == "-32768")
    #expect(try token(Int32.min) == "-2147483648")
    #expect(try token(UInt8.max) == "255")
    #expect(try token(UInt16.max) == "65535")
    #expect(try token(UInt32.max) == "4294967295")
    #expect(try token(0) == "0")
    #expect(try token(Int128.min) == "\"-170141183460469231731687303715884105728\"")
    #expect(try token(UInt128.max) == "\"340282366920938463463374607431768211455\"")
    #expect(try token(Money(cents: 1999)) == "1999")
  }

  @Test func randomIntegersAreExact() throws {
    var random = SeededGenerator("integers")
    for _ in 0..<2_000 {
      let number = random.next() >> UInt64.random(in: 0..<64, using: &random)
      #expect(try token(number) == "\(number)", "seed \(random.seed)")
      #expect(try token(Int64(bitPattern: number)) == "\(Int64(bitPattern: number))", "seed \(random.seed)")
    }
  }

  @Test func doublesAreReadBackBitForBit() throws {
    var random = SeededGenerator("doubles")
    var numbers: [Double] = [
      0, -0.0, 1, -1, 0.1, 1 / 3, .pi, 1e300, -1e-300, .leastNonzeroMagnitude, .leastNormalMagnitude,
      .greatestFiniteMagnitude, 9_007_199_254_740_991,
    ]
    numbers += (0..<5_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
    for number in numbers {
      let text = try token(number)
      #expect(Double(text)?.bitPattern == number.bitPattern, "\(number) became \(text), seed \(random.seed)")
    }
    #expect(try token(Float(0.1)) == "0.1")
    #expect(try token(Double.nan) == "\"nan\"")
    #expect(try token(Double.infinity) == "\"inf\"")
    #expect(try token(-Double.infinity) == "\"-inf\"")
    #expect(try token(Float.infinity) == "\"inf\"")
  }

  @Test func otherValuesKeepTheirTypes() throws {
    #expect(try token(true) == "true")
    #expect(try token(false) == "false")
    #expect(try token("text") == "\"text\"")
    #expect(try token("text".dropFirst()) == "\"ext\"")
    #expect(try token("literal" as StaticString) == "\"literal\"")
    #expect(try token(nil as Int?) == "null")
    #expect(try token(nil as String?) == "null")
    #expect(try token(7 as Int?) == "7")
    #expect(try token([1, 2, 3]) == "[1,2,3]")
    #expect(try token([] as [String]) == "[]")
    #expect(try token([["a"], [], ["b", "c"]]) == #"[["a"],[],["b","c"]]"#)
    #expect(try token([1, nil, 3] as [Int?]) == "[1,null,3]")
  }

  @Test func durationsAreSeconds() throws {
    #expect(try token(Duration.zero) == "0")
    #expect(try token(Duration.seconds(3)) == "3")
    #expect(try token(Duration.milliseconds(1_500)) == "1.5")
    #expect(try token(Duration.nanoseconds(1)) == "0.000000001")
    #expect(try token(Duration.nanoseconds(-1)) == "-0.000000001")
    #expect(try token(Duration.milliseconds(-1_250)) == "-1.25")
    #expect(try token(Duration.seconds(Int64.max)) == "9223372036.854775807")
    #expect(try token(Duration.seconds(Int64.min)) == "-9223372036.854775808")
  }

  @Test func groupsNest() throws {
    let record = try EncodedRecord({ "" }) { fields in
      fields.group("user") { user in
        user["id"] = 7
        user.group("address") { address in
          address["city"] = "Köln"
          address["codes"] = [1, 2]
        }
        user["after"] = true
      }
      fields["last"] = 1
    }.json()
    #expect(record.line.hasSuffix(#""user":{"id":7,"address":{"city":"Köln","codes":[1,2]},"after":true},"last":1}"#))
  }

  /// Sixteen levels are written; what nests deeper is still one JSON object, with nothing left out at the top.
  @Test func nestingHasALimit() throws {
    func nest(_ fields: inout LogFields, _ depth: Int) {
      if depth > 0 { fields.group("g") { nest(&$0, depth - 1) } } else { fields["deep"] = 1 }
    }
    for depth in [1, 15, 16, 17, 40] {
      let record = try EncodedRecord({ "" }) { fields in
        nest(&fields, depth)
        fields["last"] = depth
      }.json()
      #expect(record.integer("last") == depth)
    }
  }

  @Test func textAndFieldsComeFromOnePlace() throws {
    let missing: String? = nil
    let record = try EncodedRecord({
      "order \(17, "order.id") of \("Ann", "customer"): \(2.5, "total") \(true) \(missing, "note") \([1, 2], "list") end"
    }).json()
    #expect(record.msg == "order 17 of Ann: 2.5 true null [1, 2] end")
    #expect(record.integer("order.id") == 17 && record["customer"] as? String == "Ann")
    #expect(record["total"] as? Double == 2.5 && record["note"] is NSNull)
    #expect(record["list"] as? [Int] == [1, 2])
  }

  @Test func anyOtherValueIsDescribed() throws {
    let record = try EncodedRecord({ "at \(Point(x: 3)) and \(Point(x: 4), "point")" }).json()
    #expect(record.msg == "at Point(x: 3) and Point(x: 4)")
    #expect(record["point"] as? String == "Point(x: 4)")
  }

  @Test func nestedValuesInTheTextAreReadable() throws {
    let text = EncodedRecord({ "\([[1, 2], [], [3]]) \(["a"], "list"), \([nil, true])." })
    #expect(try text.json().msg == "[[1, 2], [], [3]] [a], [null, true].")
    #expect(text.console().contains("[[1, 2], [], [3]] [a], [null, true]."))
    let group = try EncodedRecord({ "at \(Address(city: "Rome", codes: [1, 2]), "address")!" }).json()
    #expect(group.msg == "at [city: Rome, codes: [1, 2]]!")
  }

  @Test func emptyMessages() throws {
    #expect(try EncodedRecord({ "" }).json().msg == "")
    #expect(try EncodedRecord({ "\("")" }).json().msg == "")
    #expect(try EncodedRecord({ "\("", "empty")" }).json()["empty"] as? String == "")
  }

  @Test func runtimeKeys() throws {
    let record = try EncodedRecord({ "" }) { $0.set("key \(1)", 5) }.json()
    #expect(record.integer("key 1") == 5)
  }
}
