import Foundation
import TestSupport
import Testing
import TreeRing

/// Fields that go with a task.
@Suite struct TaskContextTests {
  private let recorder = LogRecorder()
  private var log: Logger { recorder.logger("test") }

  private func fields(_ name: String) -> [String?] { recorder.records.map { $0[name]?.stringValue } }

  @Test func everyRecordOfTheScopeCarriesTheFields() {
    let child = log.with { $0["own"] = "child" }
    log.info("before")
    Logger.withContext {
      $0["request.id"] = "r-1"
    } operation: {
      log.info("inside")
      child.info("of a child logger \(17, "number")")
    }
    log.info("after")
    #expect(fields("request.id") == [nil, "r-1", "r-1", nil])
    #expect(fields("own") == [nil, nil, "child", nil])
    #expect(recorder.records[2]["number"]?.intValue == 17)
  }

  @Test func channelsAndOtherLoggersCarryThemToo() {
    recorder.recording {
      Logger.withContext {
        $0["request.id"] = "r-1"
      } operation: {
        DebugChannel("test:context")("from a channel")
        Logger("another").info("from another logger")
      }
    }
    #expect(fields("request.id") == ["r-1", "r-1"])
  }

  @Test func contextsNestAndTheInnerOneWins() {
    Logger.withContext {
      $0["a"] = "outer"
      $0.group("nested") { $0["x"] = 1 }
      $0["b"] = "outer"
    } operation: {
      Logger.withContext {
        $0["b"] = "inner"
        $0["nested"] = "replaced"
        $0["c"] = "inner"
      } operation: {
        log.info("inside")
      }
      log.info("outside")
    }
    #expect(fields("a") == ["outer", "outer"])
    #expect(fields("b") == ["inner", "outer"])
    #expect(fields("c") == ["inner", nil])
    #expect(recorder.records[0]["nested"]?.stringValue == "replaced")
    #expect(recorder.records[1]["nested"]?.stringValue == nil)
    #expect(recorder.records.allSatisfy { $0["b_"] == nil })
  }

  @Test func itFollowsChildTasksAcrossThreads() async {
    let log = log
    await Logger.withContext {
      $0["request.id"] = "r-2"
    } operation: {
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            await Task.yield()
            log.info("child \(number)")
          }
        }
      }
      await Task { log.info("a task of its own") }.value
      await Task.detached { log.info("detached") }.value
    }
    #expect(recorder.records.count == 10)
    #expect(recorder.records.filter { $0["request.id"]?.stringValue == "r-2" }.count == 9)
    #expect(recorder.records.last?["request.id"] == nil)
  }

  @Test func tasksDoNotSeeEachOthersContext() async {
    let log = log
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          await Logger.withContext {
            $0["task"] = number
          } operation: {
            for _ in 0..<20 {
              await Task.yield()
              log.info("\(number, "number")")
            }
          }
        }
      }
    }
    #expect(recorder.records.count == 400)
    #expect(recorder.records.allSatisfy { $0["task"]?.intValue == $0["number"]?.intValue })
  }

  @Test func errorsComeOutAsTheyAre() async {
    struct Refused: Error, Equatable { let code: Int }
    #expect(throws: Refused(code: 7)) {
      try Logger.withContext {
        $0["a"] = 1
      } operation: { () throws(Refused) in
        throw Refused(code: 7)
      }
    }
    await #expect(throws: Refused(code: 8)) {
      try await Logger.withContext {
        $0["a"] = 1
      } operation: {
        await Task.yield()
        throw Refused(code: 8)
      }
    }
  }

  @Test func aNumberedContextCountsThroughItsChildren() async {
    let log = log
    await Logger.withContext(isNumbered: true) {
      $0["request.id"] = "r-3"
    } operation: {
      for _ in 0..<5 {
        log.info("in the task")
        Logger.withContext {
          $0["step"] = 1
        } operation: {
          log.info("in a nested context")
        }
        await withTaskGroup(of: Void.self) { group in
          group.addTask { log.info("in a child task") }
        }
      }
    }
    #expect(recorder.records.map { $0["task.seq"]?.intValue } == Array(0..<15))
  }

  @Test func secretsInAContextAreHidden() {
    Logger.withContext {
      $0["password"] = "correct horse"
      $0["user", .secret] = "correct horse"
    } operation: {
      log.info("inside")
    }
    #expect(fields("password") == ["[redacted]"])
    #expect(fields("user") == ["[redacted]"])
  }

  /// Many tasks, each logging from one thread and then another: the log has each task's records in their order.
  @Test func aTaskThatMovesKeepsItsOrder() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = directory.file("log")
      try LogSystem.start(LogConfiguration(sinks: [.file(file)], directory: directory.path, whenFull: .block))
      let log = Logger("order")
      let (tasks, records) = (16, 300)
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<tasks {
          group.addTask {
            await Logger.withContext(isNumbered: true) {
              $0["task"] = task
            } operation: {
              for number in 0..<records {
                log.info("\(number, "number")")
                await Task.yield()
              }
            }
          }
        }
      }
      LogSystem.stop()
      let written = try JSONRecord.read(file).filter { $0.logger == "order" }
      #expect(written.count == tasks * records)
      #expect(
        Set(written.compactMap { $0["ring"] as? String }).count > 1, "the tasks ran on one thread: nothing was shown")
      for task in 0..<tasks {
        let own = written.filter { $0.integer("task") == task }
        #expect(own.map { $0.integer("number") } == Array(0..<records))
        #expect(own.map { $0.integer("task.seq") } == Array(0..<records))
      }
    }
  }
}
