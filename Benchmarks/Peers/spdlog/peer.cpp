// spdlog's asynchronous logger by the protocols of CBenchmark.h: one background thread, a queue of 65,536 messages, a caller that waits when the queue is
// full, its default pattern into a file.
//
//     peer disabled|enabled|throughput FOLDER
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "CBenchmark.h"

namespace {

constexpr const char *name = "spdlog async";
std::shared_ptr<spdlog::logger> logger;

// Three arguments whose values the compiler cannot know; made once, as in the Swift programs.
struct Order {
  int64_t id = bm_order_id();
  std::string user = bm_user_name();
  double total = bm_order_total();
};
const Order &order() {
  static const Order placed;
  return placed;
}

void enabled(uint32_t calls) {
  const Order &placed = order();
  for (uint32_t number = 0; number < calls; number++) {
    logger->info("order {} placed by {} total {}", placed.id + number, placed.user, placed.total);
  }
}

void disabled(uint32_t calls) {
  const Order &placed = order();
  for (uint32_t number = 0; number < calls; number++) logger->debug("order {}", placed.id + number);
}

// `logger::flush` only asks, by a message of its own: when that one has left the queue, the one background thread is done with all before it.
void flush() {
  logger->flush();
  while (spdlog::thread_pool()->queue_size() > 0) std::this_thread::yield();
  logger->sinks()[0]->flush();
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) bm_fail("usage: peer disabled|enabled|throughput FOLDER", 64);
  const std::string question = arguments[1], path = std::string(arguments[2]) + "/log";
  spdlog::init_thread_pool(65536, 1);
  logger = spdlog::create_async<spdlog::sinks::basic_file_sink_mt>("benchmark.orders", path, true);
  const BMSubject subject{name, enabled, flush, path.c_str(), BM_CLOCK_REALTIME};
  if (question == "disabled") {
    bm_disabled(name, disabled);
  } else if (question == "enabled") {
    bm_enabled(subject);
  } else {
    bm_throughput(subject, "writer");
    bm_call_to_file(subject);
  }
  spdlog::shutdown();
}
