package import Logging
package import TreeRing

// Both interfaces have the same seven levels, by the same names.

extension TreeRing.Level {
  /// The same level here.
  package init(_ level: Logging.Logger.Level) {
    self =
      switch level {
      case .trace: .trace
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      case .critical: .critical
      }
  }
}

extension Logging.Logger.Level {
  /// The same level in swift-log.
  package init(_ level: TreeRing.Level) {
    self =
      switch level {
      case .trace: .trace
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      case .critical: .critical
      }
  }
}
