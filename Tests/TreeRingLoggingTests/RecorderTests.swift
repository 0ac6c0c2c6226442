import Logging
import Testing
import TreeRing
import TreeRingLogging

/// swift-log's loggers in a test that records.
struct RecorderTests {
  @Test func eventsOfTheTaskAreRecorded() async {
    let recorder = LogRecorder()
    let logger = Logging.Logger(label: "door.recorded") { TreeRingLogHandler(label: $0) }
    await recorder.recording {
      logger.info("order placed", metadata: ["order.id": "17", "tags": ["new"]])
      logger.trace("every level")
      await Task { logger.error("in a task") }.value
    }
    #expect(recorder.records.map(\.message) == ["order placed", "every level", "in a task"])
    #expect(recorder.records.map(\.label) == ["door.recorded", "door.recorded", "door.recorded"])
    #expect(recorder.records.first?["order.id"] == "17" && recorder.records.first?["tags"] == ["new"])
    #expect(recorder.records.last?.level == .error)
  }

  @Test func aRecordersLevelIsTheLoggers() {
    let recorder = LogRecorder(level: .warning)
    let logger = Logging.Logger(label: "door.recorded") { TreeRingLogHandler(label: $0) }
    recorder.recording {
      logger.info("off")
      logger.warning("on")
    }
    #expect(recorder.records.map(\.message) == ["on"])
  }
}
