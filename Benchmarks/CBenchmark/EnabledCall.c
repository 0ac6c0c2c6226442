// Question 2: what does a call cost that is logged?
//
// Each of the two situations is measured in two ways that take turns. A burst that is timed as a whole gives a mean for its calls, which hides what single calls
// take but is next to free of the clock's own cost. A burst whose calls are timed one by one gives the distribution of single calls; the cost of timing
// (some tens of nanoseconds, and it waits for what the call left behind) is taken off each, so that they come out a little above the mean of a whole burst.
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "Measure.h"

enum {
  SPACED_CALLS = 20,
  ROW_CALLS = 1000,  // fit into a ring and into a queue, so that nothing is dropped and nobody waits
  ROW_BURSTS = 300,  // of all threads together
  MANY_THREADS = 4,
  MOST_THREADS = 64,
};
static const double GAP = 2e6;  // nanoseconds between two samples

// What one thread, or all together, measured in one situation.
typedef struct {
  size_t burst_count;
  double *bursts;
  size_t single_count;
  double *singles;
} Samples;

typedef struct {
  const BMSubject *subject;
  bool spins;
  uint32_t spaced_bursts, row_bursts;
  Samples spaced, row;
  pthread_barrier_t *barrier;
} Caller;

static void sample(Samples *samples, const BMSubject *subject, uint32_t calls, uint32_t turn) {
  if (turn % 2 == 0) {
    samples->bursts[samples->burst_count++] = bm_time_burst(subject->burst, calls);
    return;
  }
  double *singles = samples->singles + samples->single_count;
  for (uint32_t i = 0; i < calls; i++) singles[i] = bm_time_burst(subject->burst, 1);
  samples->single_count += calls;
}

// Waits as a program does that has other work: the thread stays on its core while there is a core for each, and sleeps when there is not.
static void gap(bool spins) {
  if (!spins) {
    struct timespec time = {0, (long)GAP};
    nanosleep(&time, NULL);
    return;
  }
  uint64_t start = bm_ticks();
  while (bm_nanoseconds(bm_ticks() - start) < GAP) {
  }
}

static void *call(void *argument) {
  Caller *caller = argument;
  const BMSubject *subject = caller->subject;
  subject->burst(SPACED_CALLS);
  subject->flush();
  pthread_barrier_wait(caller->barrier);
  for (uint32_t i = 0; i < caller->spaced_bursts; i++) {
    sample(&caller->spaced, subject, SPACED_CALLS, i);
    gap(caller->spins);
  }
  subject->flush();
  pthread_barrier_wait(caller->barrier);
  for (uint32_t i = 0; i < caller->row_bursts; i++) {
    sample(&caller->row, subject, ROW_CALLS, i);
    subject->flush();
  }
  return NULL;
}

// MARK: figures

static void report_bursts(const BMSubject *subject, uint32_t threads, const char *question, Samples *samples) {
  double sum = 0, p50 = bm_percentile(samples->bursts, samples->burst_count, 0.5);
  for (size_t i = 0; i < samples->burst_count; i++) sum += samples->bursts[i];
  bm_report(subject->name, question, threads, "burst p50", p50);
  bm_report(subject->name, question, threads, "burst p99", bm_percentile(samples->bursts, samples->burst_count, 0.99));
  bm_report(subject->name, question, threads, "burst mean", sum / (double)samples->burst_count);
  bm_report(subject->name, question, threads, "burst p50 without clock", p50 - bm_cost_of_clock(subject->clock));
}

// Share of single calls, in percent, for each doubling of nanoseconds; the figure's name is the upper end.
static void report_histogram(const BMSubject *subject, uint32_t threads, const char *question, const double *values, size_t count) {
  char title[64], bound[32];
  snprintf(title, sizeof title, "%s histogram", question);
  size_t done = 0;
  for (double end = 4; done < count; end *= 2) {
    size_t first = done;
    while (done < count && values[done] <= end) done++;
    if (done == first) continue;
    snprintf(bound, sizeof bound, "%.0f", end);
    bm_report(subject->name, title, threads, bound, 100.0 * (double)(done - first) / (double)count);
  }
}

static void report_singles(const BMSubject *subject, uint32_t threads, const char *question, Samples *samples) {
  static const struct {
    const char *name;
    double share;
  } figures[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
  double timing = bm_cost_of_timing();
  for (size_t i = 0; i < samples->single_count; i++) samples->singles[i] = fmax(samples->singles[i] - timing, 0);
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
    double value = bm_percentile(samples->singles, samples->single_count, figures[i].share);
    bm_report(subject->name, question, threads, figures[i].name, value);
  }
  report_histogram(subject, threads, question, samples->singles, samples->single_count);
}

static void report_all(const BMSubject *subject, uint32_t threads, const char *question, Samples *samples) {
  if (samples->burst_count > 0) report_bursts(subject, threads, question, samples);
  if (samples->single_count > 0) report_singles(subject, threads, question, samples);
}

// MARK: running

// Room for that many bursts, whichever way they are timed; one more, for there may be none.
static Samples make_samples(size_t bursts, size_t calls) { return (Samples){0, bm_values(bursts + 1), 0, bm_values((bursts + 1) * calls)}; }

static void free_samples(Samples *samples) {
  free(samples->bursts);
  free(samples->singles);
}

static void append(Samples *all, Samples *samples) {
  for (size_t i = 0; i < samples->burst_count; i++) all->bursts[all->burst_count++] = samples->bursts[i];
  for (size_t i = 0; i < samples->single_count; i++) all->singles[all->single_count++] = samples->singles[i];
  free_samples(samples);
}

static void start(Caller *callers, uint32_t threads) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, threads);
  pthread_t ids[MOST_THREADS];
  for (uint32_t i = 0; i < threads; i++) {
    callers[i].barrier = &barrier;
    if (pthread_create(&ids[i], NULL, call, &callers[i]) != 0) abort();
  }
  for (uint32_t i = 0; i < threads; i++) pthread_join(ids[i], NULL);
}

static void run(const BMSubject *subject, uint32_t threads, uint32_t spaced_bursts) {
  uint32_t row_bursts = (ROW_BURSTS + threads - 1) / threads;
  bool spins = (long)threads < sysconf(_SC_NPROCESSORS_ONLN);
  Caller callers[MOST_THREADS];
  for (uint32_t i = 0; i < threads; i++) {
    callers[i] = (Caller){subject, spins, spaced_bursts, row_bursts, make_samples(spaced_bursts, SPACED_CALLS), make_samples(row_bursts, ROW_CALLS), NULL};
  }
  start(callers, threads);
  Samples spaced = make_samples((size_t)threads * spaced_bursts, SPACED_CALLS), row = make_samples((size_t)threads * row_bursts, ROW_CALLS);
  for (uint32_t i = 0; i < threads; i++) {
    append(&spaced, &callers[i].spaced);
    append(&row, &callers[i].row);
  }
  report_all(subject, threads, "spaced", &spaced);
  report_all(subject, threads, "in a row", &row);
  free_samples(&spaced);
  free_samples(&row);
}

static void count_allocations(const BMSubject *subject) {
  subject->burst(SPACED_CALLS);
  subject->flush();
  uint64_t before = bm_allocations();
  subject->burst(ROW_CALLS);
  bm_report(subject->name, "allocations", 1, "per call", (double)(bm_allocations() - before) / ROW_CALLS);
  subject->flush();
}

void bm_enabled(BMSubject subject) {
  if (bm_counts_instructions(subject.name, "enabled call", subject.burst, subject.flush)) return;
  uint32_t samples = bm_setting("BENCHMARK_SAMPLES", 1500), many = bm_setting("BENCHMARK_THREADS", MANY_THREADS);
  run(&subject, 1, samples);
  if (many > 1) run(&subject, many < MOST_THREADS ? many : MOST_THREADS, samples);
  count_allocations(&subject);
  bm_require_output(&subject);
}

void bm_enabled_in_a_row(BMSubject subject) {
  if (bm_counts_instructions(subject.name, "enabled call", subject.burst, subject.flush)) return;
  run(&subject, 1, 0);
  count_allocations(&subject);
  bm_require_output(&subject);
}
