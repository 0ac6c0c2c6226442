import CBenchmark

/// The three arguments of every call, with values that the compiler cannot know. Made once: making a string is no part of a log call.
struct Order: Sendable {
  let id = bm_order_id()
  let user = unsafe String(cString: bm_user_name())
  let total = bm_order_total()

  static let placed = Order()
}
