// See Measure.h and CBenchmark.h.
#define _GNU_SOURCE
#include "Measure.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// MARK: time

double bm_nanoseconds_per_tick = 1;
static double cost_of_timing;
static FILE *results;

static void calibrate(void) {
  uint64_t first_time = bm_clock(CLOCK_MONOTONIC), first = bm_ticks(), time, last;
  do {
    time = bm_clock(CLOCK_MONOTONIC);
    last = bm_ticks();
  } while (time - first_time < 50000000);
  bm_nanoseconds_per_tick = (double)(time - first_time) / (double)(last - first);
}

static void nothing(uint32_t calls) { __asm__ volatile("" : : "r"(calls)); }
static void (*volatile do_nothing)(uint32_t) = nothing;

double bm_cost_of_timing(void) {
  enum { TRIALS = 5000 };
  static double values[TRIALS];
  if (cost_of_timing > 0) return cost_of_timing;
  void (*burst)(uint32_t) = do_nothing;
  for (int i = 0; i < TRIALS; i++) values[i] = bm_time_burst(burst, 1);
  return cost_of_timing = bm_percentile(values, TRIALS, 0.5);
}

__attribute__((constructor)) static void prepare(void) {
  results = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10), "w");
  if (!results) abort();
  calibrate();
}

// MARK: results

void bm_redirect_output(const char *path) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    perror(path);
    exit(1);
  }
  dup2(descriptor, STDOUT_FILENO);
  dup2(descriptor, STDERR_FILENO);
  close(descriptor);
}

void bm_report(const char *subject, const char *question, uint32_t threads, const char *figure, double value) {
  fprintf(results, "{\"subject\":\"%s\",\"question\":\"%s\",\"threads\":%u,\"figure\":\"%s\",\"value\":%.7g}\n", subject, question, threads, figure, value);
  fflush(results);
}

void bm_fail(const char *reason, int status) {
  fprintf(stderr, "%s\n", reason);
  exit(status);
}

double *bm_values(size_t count) {
  double *values = malloc(count * sizeof *values);
  if (!values) abort();
  memset(values, 1, count * sizeof *values);
  return values;
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double bm_percentile(double *values, size_t count, double share) {
  qsort(values, count, sizeof *values, ascending);
  size_t index = (size_t)ceil(share * (double)count);
  return values[index == 0 ? 0 : index - 1];
}

void bm_report_in_a_row(const char *name, const char *question, void (*burst)(uint32_t), uint32_t calls) {
  enum { BURSTS = 300 };
  double values[BURSTS];
  burst(calls);
  for (int i = 0; i < BURSTS; i++) values[i] = bm_time_burst(burst, calls);
  bm_report(name, question, 1, "p50", bm_percentile(values, BURSTS, 0.5));
  bm_report(name, question, 1, "best", bm_percentile(values, BURSTS, 0));
}

uint32_t bm_setting(const char *name, uint32_t standard) {
  const char *value = getenv(name);
  return value && atoi(value) > 0 ? (uint32_t)atoi(value) : standard;
}

uint32_t bm_messages(void) { return bm_setting("BENCHMARK_MESSAGES", 1000000); }

double bm_written(const BMSubject *subject) {
  struct stat status;
  if (subject->path[0] == 0) return bm_received();
  return stat(subject->path, &status) == 0 ? (double)status.st_size : 0;
}

void bm_require_output(const BMSubject *subject) {
  if (bm_written(subject) != 0) return;
  fprintf(stderr, "%s wrote nothing to %s: its figures mean nothing\n", subject->name, subject->path);
  exit(1);
}

// MARK: instructions

// Not inlined, so that valgrind can be told to count inside of it (--toggle-collect).
__attribute__((noinline)) void bm_counted(void (*burst)(uint32_t), uint32_t calls) {
  burst(calls);
  __asm__ volatile("" ::: "memory");
}

bool bm_counts_instructions(const char *name, const char *figure, void (*burst)(uint32_t), void (*flush)(void)) {
  uint32_t calls = bm_setting("BENCHMARK_INSTRUCTIONS", 0);
  if (calls == 0) return false;
  burst(200);
  if (flush) flush();
  for (uint32_t done = 0; done < calls; done += 200) {
    bm_counted(burst, 200);
    if (flush) flush();
  }
  bm_report(name, "instructions", 1, figure, calls);
  return true;
}

// MARK: what no compiler can know

__attribute__((noinline)) int64_t bm_order_id(void) {
  static volatile int64_t id = 4711;
  return id;
}
__attribute__((noinline)) const char *bm_user_name(void) {
  static const char *volatile name = "margarete.steiner";
  return name;
}
__attribute__((noinline)) double bm_order_total(void) {
  static volatile double total = 1234.5;
  return total;
}
