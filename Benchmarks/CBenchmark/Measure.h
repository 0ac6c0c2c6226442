// What the questions have in common: time, percentiles, settings.
#pragma once
#include <stddef.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "CBenchmark.h"

// Nanoseconds of one of the system's clocks.
static inline uint64_t bm_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

// The clock of all figures: the processor's time stamp counter, read with `rdtscp`, which waits for what comes before it; elsewhere than on x86-64 it is
// CLOCK_MONOTONIC.
static inline uint64_t bm_ticks(void) {
#if defined(__x86_64__)
  unsigned aux;
  return __rdtscp(&aux);
#else
  return bm_clock(CLOCK_MONOTONIC);
#endif
}

// Measured against CLOCK_MONOTONIC when the program begins.
extern double bm_nanoseconds_per_tick;
static inline double bm_nanoseconds(uint64_t ticks) { return (double)ticks * bm_nanoseconds_per_tick; }

// What reading that clock twice and a call of a function that does nothing take, in nanoseconds: it is taken off the time of a single call.
double bm_cost_of_timing(void);

// What a subject's clock takes of each of its calls, in nanoseconds.
double bm_cost_of_clock(BMClock clock);

// Nanoseconds for each of `calls` calls.
static inline double bm_time_burst(void (*burst)(uint32_t), uint32_t calls) {
  uint64_t start = bm_ticks();
  burst(calls);
  return bm_nanoseconds(bm_ticks() - start) / calls;
}

// A number from the environment.
uint32_t bm_setting(const char *name, uint32_t standard);
// Memory whose pages are there already: a page fault is no part of a call.
double *bm_values(size_t count);
// Sorts, and returns the value below which `share` of all lie.
double bm_percentile(double *values, size_t count, double share);

// Reports p50 and best of 300 bursts of so many calls, timed as a whole, with nothing in between.
void bm_report_in_a_row(const char *name, const char *question, void (*burst)(uint32_t), uint32_t calls);

// Runs BENCHMARK_INSTRUCTIONS calls for valgrind's counter and nothing else, with the ring or queue emptied often, and reports how many they were as `figure` of
// "instructions": `run` divides what valgrind has counted by that. False: no such thing is asked for.
bool bm_counts_instructions(const char *name, const char *figure, void (*burst)(uint32_t), void (*flush)(void));

// Bytes of the file, or those that the receiver has read.
double bm_written(const BMSubject *subject);
// A subject that writes nothing is quick, and no subject: ends the program. `path` empty and no receiver: nothing is asked for.
void bm_require_output(const BMSubject *subject);

// What the receiver has read; -1 without one.
double bm_received(void);
