// How fast spdlog's records reach a file: the protocols of CBenchmark.h.
//
//     throughput FILE
#include "spdlog_peer.hpp"

int main(int count, char **arguments) {
  if (count != 2) bm_fail("usage: throughput FILE", 64);
  peer::start(arguments[1]);
  BMSubject subject{"spdlog async", peer::enabled, peer::flush, arguments[1], BM_CLOCK_REALTIME};
  bm_throughput(subject);
  bm_call_to_file(subject);
  spdlog::shutdown();
}
