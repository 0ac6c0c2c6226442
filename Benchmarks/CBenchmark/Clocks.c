// What reading a clock costs: most of a fast log call.
#include "Measure.h"

enum { READS = 20000 };

static volatile uint64_t seen;
static void read_ticks(uint32_t calls) {
#if defined(__x86_64__)
  for (uint32_t i = 0; i < calls; i++) seen = __rdtsc();
#else
  for (uint32_t i = 0; i < calls; i++) seen = bm_ticks();
#endif
}
static void read_realtime(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) seen = bm_clock(CLOCK_REALTIME);
}
static void read_coarse(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) seen = bm_clock(CLOCK_REALTIME_COARSE);
}

static void (*const readers[])(uint32_t) = {
    [BM_CLOCK_TICKS] = read_ticks, [BM_CLOCK_REALTIME] = read_realtime, [BM_CLOCK_COARSE] = read_coarse};

void bm_clocks(void) {
  bm_report_in_a_row("rdtsc", "clock", readers[BM_CLOCK_TICKS], READS);
  bm_report_in_a_row("clock_gettime", "clock", readers[BM_CLOCK_REALTIME], READS);
  bm_report_in_a_row("clock_gettime coarse", "clock", readers[BM_CLOCK_COARSE], READS);
}

double bm_cost_of_clock(BMClock clock) {
  enum { BURSTS = 30 };
  double values[BURSTS];
  if (clock == BM_CLOCK_NONE) return 0;
  for (int i = 0; i < BURSTS; i++) values[i] = bm_time_burst(readers[clock], READS);
  return bm_percentile(values, BURSTS, 0);
}
