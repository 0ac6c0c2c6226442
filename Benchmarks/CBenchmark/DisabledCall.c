// Question 1: what does a call cost that is not logged?
#include "Measure.h"

uint8_t bm_threshold = 2;

void bm_disabled(const char *name, void (*burst)(uint32_t)) {
  burst(1);
  if (bm_counts_instructions(name, "disabled call", burst, NULL)) return;
  bm_report_in_a_row(name, "disabled", burst, 100000);
}

static void baseline(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) {
    if (__builtin_expect(bm_relaxed_load() <= 1, 0)) bm_threshold = (uint8_t)i;
    __asm__ volatile("");
  }
}

void bm_disabled_baseline(void) { bm_disabled("empty relaxed load", baseline); }
