import Testing

@testable import TreeRing

/// Which names hide a value.
@Suite struct RedactedKeysTests {
  private func hides(_ name: String, _ keys: RedactedKeys = .standard) -> Bool {
    var name = name
    return name.withUTF8 { unsafe RedactionTable(keys).hides($0) }
  }

  @Test(arguments: [
    "password", "PASSWORD", "db.password", "userPassword", "db_password", "http.request.header.set-cookie",
    "Set_Cookie",
    "X-Auth-Token", "api_key", "API-KEY", "apikey", "aws.secretAccessKey", "private_key", "client.secret", "secret",
    "authorization", "Proxy-Authorization", "session", "session_id", "credentials", "jwt", "p-a-s-s-w-o-r-d",
    "üpassword",
    "a.very.long.name.whose.last.component.is.longer.than.thirty_two_bytes_and_ends_with_password",
  ])
  func hidesTheseNames(_ name: String) { #expect(hides(name)) }

  @Test(arguments: [
    "", ".", "password.", "passwords.count", "tokens", "token.count", "secretary", "author", "keyboard", "order.id",
    "name",
    "passwort", "pass", "cookie.name", "monkey", "-", "_", "ssnx",
  ])
  func leavesTheseAlone(_ name: String) { #expect(!hides(name)) }

  /// The quick look at a name must never miss one: every ending of a few letters, before and behind what separates and what is skipped.
  @Test(arguments: [
    RedactedKeys.standard, .none, RedactedKeys(["id"]), RedactedKeys(["a", "pin2", "b-c"]),
    RedactedKeys(["é", "x_é.y"]),
  ])
  func theQuickLookMissesNone(_ keys: RedactedKeys) {
    let words = ["", "a", "id", "pin", "PIN2", "bc", "ssn", "key", "jwt", "é", "token", "api"]
    let separators = ["", ".", "-", "_", " ", "\u{E}", "1", "É", "@"]
    for first in words {
      for second in words {
        for separator in separators {
          for end in separators {
            let name = first + separator + second + end
            #expect(hides(name, keys) == Self.isHidden(name, keys), "\(name.debugDescription)")
          }
        }
      }
    }
  }

  /// The documentation's sentence, word for word.
  private static func isHidden(_ name: String, _ keys: RedactedKeys) -> Bool {
    let component = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last ?? []
    let letters = component.filter { !"-_ ".utf8.contains($0) }.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
    return keys.names.contains { letters.suffix($0.utf8.count).elementsEqual($0.utf8) }
  }

  @Test func namesAreComparedAsTheyAreMeant() {
    let keys = RedactedKeys(["Customer-IBAN", "customer_iban", "", "-"])
    #expect(keys.names == ["customeriban"])
    #expect(hides("bank.customerIban", keys))
    #expect(RedactedKeys.standard.removing(["API_KEY"]).names.contains("apikey") == false)
    #expect(RedactedKeys.none.names.isEmpty && !hides("password", .none))
  }

  @Test(arguments: [
    ("iban", RedactedKeys.standard.adding(["iban"])),
    ("iban,-session", .standard.adding(["iban"]).removing(["session"])),
    ("off", .none), ("off,iban", RedactedKeys(["iban"])), ("-token -jwt", .standard.removing(["token", "jwt"])),
    ("Größe", .standard.adding(["Größe"])),
  ])
  func theVariableAddsAndRemoves(_ text: String, _ expected: RedactedKeys) {
    #expect(RedactedKeys(parsing: text) == expected)
  }

  @Test(arguments: ["a=b", "user.name", "-", "iban;bic", "_"])
  func whatIsNoNameIsRefused(_ text: String) { #expect(RedactedKeys(parsing: text) == nil) }

  @Test func theEnvironmentIsRead() {
    var complaints: [String] = []
    func keys(_ value: String) -> RedactedKeys {
      LogConfiguration.environment({ $0 == "TREERING_REDACT" ? value : nil }, complain: { complaints.append($0) })
        .redactedKeys
    }
    #expect(keys("") == .standard && keys("off") == .none && keys("iban").names.contains("iban"))
    #expect(complaints.isEmpty)
    #expect(keys("a=b") == .standard)
    #expect(complaints.count == 1 && complaints[0].contains("TREERING_REDACT=a=b"))
  }
}
