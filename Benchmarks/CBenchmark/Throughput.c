// Questions 3 and 4: how fast do records reach their destination, and how long does one take?
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "Measure.h"

enum { ROUNDS = 3, SAMPLES = 500 };
static const double GAP = 2e6;  // nanoseconds, so that the writer sleeps again before the next record

void bm_throughput(BMSubject subject, const char *question) {
  if (bm_counts_instructions(subject.name, "written record", subject.burst, subject.flush)) return;
  uint32_t messages = bm_messages();
  double best = INFINITY, bytes = 0;
  subject.burst(1);
  subject.flush();
  for (int round = 0; round < ROUNDS; round++) {
    if (subject.path[0] != 0 && truncate(subject.path, 0) != 0) perror(subject.path);
    double before = bm_written(&subject);
    uint64_t start = bm_ticks();
    subject.burst(messages);
    subject.flush();
    best = fmin(best, bm_nanoseconds(bm_ticks() - start) / 1e9);
    bytes = bm_written(&subject) - before;
  }
  bm_require_output(&subject);
  bm_report(subject.name, question, 1, "records per second", messages / best);
  if (bytes > 0) bm_report(subject.name, question, 1, "bytes per record", bytes / messages);
}

static double one_record(const BMSubject *subject) {
  double before = bm_written(subject);
  uint64_t start = bm_ticks();
  subject->burst(1);
  subject->flush();
  while (bm_written(subject) == before) {
  }
  return bm_nanoseconds(bm_ticks() - start) / 1000;
}

void bm_call_to_file(BMSubject subject) {
  double values[SAMPLES];
  if (bm_setting("BENCHMARK_INSTRUCTIONS", 0) > 0) return;
  for (int i = 0; i < SAMPLES; i++) {
    values[i] = one_record(&subject);
    uint64_t start = bm_ticks();
    while (bm_nanoseconds(bm_ticks() - start) < GAP) {
    }
  }
  bm_report(subject.name, "call to file", 1, "p50", bm_percentile(values, SAMPLES, 0.5));
  bm_report(subject.name, "call to file", 1, "p99", bm_percentile(values, SAMPLES, 0.99));
}
