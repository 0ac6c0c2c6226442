// spdlog's asynchronous logger as both protocols use it: one background thread, a queue of 65,536 messages, a caller that waits when the queue is
// full, its default pattern into a file.
#pragma once
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <thread>

#include "CBenchmark.h"

namespace peer {

inline std::shared_ptr<spdlog::logger> log;
inline std::string path;

inline void start(const char *file) {
  path = file;
  spdlog::init_thread_pool(65536, 1);
  log = spdlog::create_async<spdlog::sinks::basic_file_sink_mt>("benchmark.orders", path, true);
}

// Three arguments whose values the compiler cannot know; made once, as in the Swift programs.
struct Order {
  int64_t id = bm_order_id();
  std::string user = bm_user_name();
  double total = bm_order_total();
};
inline const Order &order() {
  static const Order placed;
  return placed;
}

inline void enabled(uint32_t calls) {
  const Order &placed = order();
  for (uint32_t number = 0; number < calls; number++) {
    log->info("order {} placed by {} total {}", placed.id + number, placed.user, placed.total);
  }
}

inline void disabled(uint32_t calls) {
  const Order &placed = order();
  for (uint32_t number = 0; number < calls; number++) log->debug("order {}", placed.id + number);
}

// `logger::flush` only asks, by a message of its own: when that one has left the queue, the one background thread is done with all before it.
inline void flush() {
  log->flush();
  while (spdlog::thread_pool()->queue_size() > 0) std::this_thread::yield();
  log->sinks()[0]->flush();
}

}  // namespace peer
