// What a call of spdlog costs its caller: the protocols of CBenchmark.h.
//
//     call_site enabled|disabled FILE
#include <cstring>

#include "spdlog_peer.hpp"

int main(int count, char **arguments) {
  if (count != 3) bm_fail("usage: call_site enabled|disabled FILE", 64);
  peer::start(arguments[2]);
  if (std::strcmp(arguments[1], "disabled") == 0) {
    bm_disabled("spdlog async", peer::disabled);
  } else {
    bm_enabled(BMSubject{"spdlog async", peer::enabled, peer::flush, arguments[2], BM_CLOCK_REALTIME});
  }
  spdlog::shutdown();
}
