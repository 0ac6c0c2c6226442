// swift-tools-version: 6.3
import PackageDescription

/// One set of rules for every target: Swift 7's spelling, strict memory safety, and no warning that is left to rot.
let houseRules: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Every third-party product is behind a trait, so that a consumer with `traits: []` resolves no package at all.
let swiftLog: TargetDependencyCondition? = .when(traits: ["SwiftLog"])
let serviceLifecycle: TargetDependencyCondition? = .when(traits: ["ServiceLifecycle"])
let metrics: TargetDependencyCondition? = .when(traits: ["Metrics"])
let tracing: TargetDependencyCondition? = .when(traits: ["Tracing"])
let operations: TargetDependencyCondition? = .when(traits: ["Operations"])

let package = Package(
  name: "TreeRing",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "TreeRing", targets: ["TreeRing"]),
    .library(name: "TreeRingFoundation", targets: ["TreeRingFoundation"]),
    .library(name: "TreeRingLogging", targets: ["TreeRingLogging"]),
    .executable(name: "treering", targets: ["TreeRingCommand"]),
    .executable(name: "companies", targets: ["CompaniesCommand"]),
  ],
  traits: [
    .trait(name: "SwiftLog", description: "The backend for apple/swift-log: the product TreeRingLogging."),
    .trait(
      name: "ServiceLifecycle",
      description: "TreeRingLogging's LogService, for a ServiceGroup of swift-service-lifecycle.",
      enabledTraits: ["SwiftLog"]),
    .trait(
      name: "Metrics", description: "TreeRingLogging's LogMetrics: the logger's own counters, by swift-metrics.",
      enabledTraits: ["SwiftLog"]),
    .trait(
      name: "Tracing",
      description: "Trace and span ids of swift-distributed-tracing in the records of TreeRingLogging.",
      enabledTraits: ["SwiftLog"]),
    .trait(
      name: "Operations",
      description: "The commands `treering` and `companies`, with the packages they are built from.",
      enabledTraits: ["SwiftLog"]),
    .default(enabledTraits: ["SwiftLog", "ServiceLifecycle", "Metrics", "Tracing", "Operations"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .target(name: "CTreeRing"),
    .target(name: "TreeRing", dependencies: ["CTreeRing"], swiftSettings: houseRules),
    .target(name: "TreeRingFoundation", dependencies: ["TreeRing"], swiftSettings: houseRules),
    .target(
      name: "TreeRingLogging",
      dependencies: [
        "TreeRing", .product(name: "Logging", package: "swift-log", condition: swiftLog),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: serviceLifecycle),
        .product(name: "CoreMetrics", package: "swift-metrics", condition: metrics),
        .product(name: "Instrumentation", package: "swift-distributed-tracing", condition: tracing),
      ],
      swiftSettings: houseRules),
    .target(
      name: "LogShipper",
      dependencies: ["TreeRing", .product(name: "Yams", package: "Yams", condition: operations)],
      swiftSettings: houseRules),
    .target(name: "ProcessSupervisor", dependencies: ["TreeRing", "CTreeRing"], swiftSettings: houseRules),
    .target(
      name: "Companies",
      dependencies: [
        "TreeRing", "TreeRingLogging",
        .product(name: "Hummingbird", package: "hummingbird", condition: operations),
        .product(name: "Logging", package: "swift-log", condition: operations),
        .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: operations),
        .product(name: "HTTPTypes", package: "swift-http-types", condition: operations),
        .product(name: "NIOCore", package: "swift-nio", condition: operations),
        .product(name: "NIOPosix", package: "swift-nio", condition: operations),
        .product(name: "NIOHTTP1", package: "swift-nio", condition: operations),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: operations),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras", condition: operations),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: operations),
        .product(name: "GRDB", package: "GRDB.swift", condition: operations),
      ],
      swiftSettings: houseRules),
    .executableTarget(
      name: "TreeRingCommand",
      dependencies: [
        "TreeRing", "LogShipper", "ProcessSupervisor",
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: operations),
      ],
      swiftSettings: houseRules),
    .executableTarget(
      name: "CompaniesCommand",
      dependencies: [
        "Companies", "LogShipper", "ProcessSupervisor", "TreeRingLogging",
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: operations),
      ],
      swiftSettings: houseRules),

    // Benchmarks. No product contains them; `Benchmarks/run` builds and runs them beside the C++ peers, which it compiles itself.
    .target(name: "CBenchmark", path: "Benchmarks/CBenchmark"),
    .executableTarget(
      name: "CallSiteBenchmark",
      dependencies: [
        "TreeRing", "TreeRingLogging", "CBenchmark",
        .product(name: "Logging", package: "swift-log", condition: swiftLog),
      ],
      path: "Benchmarks/CallSite", swiftSettings: houseRules),
    .executableTarget(
      name: "WriterThroughputBenchmark",
      dependencies: [
        "TreeRing", "CBenchmark", .product(name: "Logging", package: "swift-log", condition: swiftLog),
      ],
      path: "Benchmarks/WriterThroughput", swiftSettings: houseRules),
    // Tests. TestSupport and LogStorm are their tools: no product contains them.
    .target(
      name: "TestSupport", dependencies: ["TreeRing", "CTreeRing"], path: "Tests/TestSupport",
      swiftSettings: houseRules),
    .executableTarget(
      name: "LogStorm", dependencies: ["TreeRing"], path: "Tests/LogStorm", swiftSettings: houseRules),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .executableTarget(
      name: "AllocationProbe", dependencies: ["TreeRing", "CAllocationCounter"], path: "Tests/AllocationProbe",
      swiftSettings: houseRules),
    .testTarget(
      name: "TreeRingTests", dependencies: ["TreeRing", "CTreeRing", "TestSupport", "LogStorm", "AllocationProbe"],
      resources: [.copy("Cases")],
      swiftSettings: houseRules),
    .testTarget(
      name: "TreeRingFoundationTests", dependencies: ["TreeRing", "TreeRingFoundation", "TestSupport"],
      swiftSettings: houseRules),
    .testTarget(
      name: "TreeRingLoggingTests",
      dependencies: [
        "TreeRingLogging", "TestSupport", .product(name: "Logging", package: "swift-log", condition: swiftLog),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: serviceLifecycle),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle", condition: serviceLifecycle),
        .product(name: "CoreMetrics", package: "swift-metrics", condition: metrics),
        .product(name: "MetricsTestKit", package: "swift-metrics", condition: metrics),
        .product(name: "Instrumentation", package: "swift-distributed-tracing", condition: tracing),
      ],
      swiftSettings: houseRules),
    .testTarget(
      name: "DocumentationTests",
      dependencies: [
        "TreeRing", "TreeRingFoundation", "TreeRingLogging", "TestSupport",
        .product(name: "Logging", package: "swift-log", condition: swiftLog),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: serviceLifecycle),
        .product(name: "Metrics", package: "swift-metrics", condition: metrics),
      ],
      exclude: ["Misuse", "Prelude"],
      swiftSettings: houseRules),
    .testTarget(
      name: "ProcessSupervisorTests", dependencies: ["ProcessSupervisor", "TestSupport"], swiftSettings: houseRules),
    .testTarget(name: "LogShipperTests", dependencies: ["LogShipper", "TestSupport"], swiftSettings: houseRules),
    .testTarget(
      name: "CompaniesTests",
      dependencies: [
        "Companies", "TestSupport",
        .product(name: "HummingbirdTesting", package: "hummingbird", condition: operations),
      ],
      swiftSettings: houseRules),
    .testTarget(name: "SystemTests", dependencies: ["TestSupport"], swiftSettings: houseRules),
  ],
  swiftLanguageModes: [.v6]
)
