import Glibc
import TreeRing

/// Says lines on a debug channel, and then crashes.
///
///     LogStorm crash HOW [LINES]     trap, abort, segv, null, bus, stack, thread (a trap on another thread), kill, ends (it does not crash)
enum Crash {
  private static let channel = DebugChannel("storm:crash", "what came before")
  private static let secret = "correct-horse-battery"

  static func run() {
    for number in 0..<LogStorm.argument(3, default: 3) { channel("step \(number, "number")") }
    channel("signed in with \(secret, "password") and \(secret, .secret)")
    LogStorm.say("ready")
    let how = LogStorm.argument(2) ?? ""
    switch how {
    case "thread": pthread_join(LogStorm.start(7) { crash("trap", $0) }, nil)
    case "stack-thread": pthread_join(LogStorm.start(7) { overflow($0) }, nil)
    default: crash(how, CommandLine.arguments.count)
    }
  }

  @inline(never)
  private static func crash(_ how: String, _ number: Int) {
    switch how {
    case "trap": trapBehindTheEnd([1, 2, 3], number)
    case "abort": abort()
    case "segv": touchNowhere(0x10)
    case "null": callNothing()
    case "bus": touchBehindTheEndOfAFile()
    case "stack": LogStorm.say("\(recurse(number))")
    case "kill": while true { pause() }
    default: log.notice("ends")
    }
  }

  @inline(never)
  private static func overflow(_ number: Int) {
    // The first record of a thread gives it a stack for the handler.
    log.notice("thread \(number) goes down")
    LogStorm.say("\(recurse(number))")
  }

  @inline(never)
  private static func trapBehindTheEnd(_ numbers: [Int], _ index: Int) { LogStorm.say("\(numbers[index + 3])") }

  @inline(never)
  private static func touchNowhere(_ address: UInt) {
    unsafe UnsafeMutablePointer<UInt8>(bitPattern: address)?.pointee = 1
  }

  /// A page of a file that has none: the kernel answers with SIGBUS.
  @inline(never)
  private static func touchBehindTheEndOfAFile() {
    // Logging runs by now, and with it whoever catches this signal for the rings.
    log.notice("a page is missing")
    var name = Array("/tmp/treering-crash-XXXXXX".utf8CString)
    let file = unsafe mkstemp(&name)
    unsafe unlink(name)
    let memory = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    unsafe memory?.storeBytes(of: 1, as: UInt8.self)
  }

  @inline(never)
  private static func callNothing() {
    let address: UInt = 0x40
    unsafe unsafeBitCast(address, to: (@convention(c) () -> Void).self)()
  }

  @inline(never)
  private static func recurse(_ number: Int) -> Int {
    number == .min ? 0 : 1 &+ recurse(number &+ 1) &* 3
  }
}
