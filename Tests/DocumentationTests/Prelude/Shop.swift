// What the examples of the documentation take for granted: a shop. They are compiled with this module imported (SnippetTests); what an example declares itself
// shadows what is declared here. It is no part of any target.

package import CoreMetrics
package import Foundation
package import Logging
package import ServiceLifecycle
package import TreeRing

/// An order as examples have it.
package struct Order: Sendable {
  package let id = 17
  package let total = 12.5
  package let date = Date(timeIntervalSince1970: 1_767_323_045)
  package let items = [Item()]
}

package struct Item: Sendable {
  package let sku = "a-17"
}

package struct User: Sendable {
  package let id = 42
  package let email = "ada@example.com"
  package let isOperator = true
}

package struct Card: Sendable, CustomStringConvertible {
  package let number = "4929 1234 5678 1111"
  package let cvv = "123"
  package var description: String { number }
}

package struct Money: Sendable {
  package let cents = 1250
}

package struct Checkout: Sendable {
  package init(log: TreeRing::Logger) {}
  package func place(_ order: Order) {}
}

package struct PaymentRefused: Error {}

package let log = TreeRing::Logger("shop")
package let debug = DebugChannel("shop")
package let logger = Logging::Logger(label: "shop")

package let order = Order()
package let items = order.items
package let total = order.total
package let user = User()
package let email = user.email
package let card = Card()
package let id = "r-17"
package let rows = 3
package let host = "db-1"
package let cursor = "next"
package let error: any Error = PaymentRefused()
package let checkout = Checkout(log: log)
package let recorder = LogRecorder()

package struct Request: Sendable {
  package let path = "/orders/17"
  package let headers: [String: String] = [:]
}
package let request = Request()
package func respond(to request: Request) async throws {}
package func handle(_ request: Request) async throws {}
package func expensive() -> Int { 1 }

package struct Server: Service {
  package func run() async throws {}
}
package let database = Server()
package let server = Server()
package let backend: any MetricsFactory = NOOPMetricsHandler.instance
