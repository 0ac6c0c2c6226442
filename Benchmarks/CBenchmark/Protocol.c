// See CBenchmark.h. The clock of all figures is the processor's time stamp counter, read with `rdtscp` (which waits for what comes before it) and
// turned into nanoseconds by a factor that is measured against CLOCK_MONOTONIC at start; elsewhere than on x86-64 it is CLOCK_MONOTONIC itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "CBenchmark.h"

uint8_t bm_threshold = 2;

enum {
  CALLS_PER_SAMPLE = 20,
  CALLS_IN_A_ROW = 1000,   // fit into a ring and into a queue, so that nothing is dropped and nobody waits
  BURSTS_IN_A_ROW = 300,
  DISABLED_CALLS = 100000,
  DISABLED_BURSTS = 300,
  ROUNDS = 3,
  MANY_THREADS = 4,
  MOST_THREADS = 64,
};
static const uint64_t GAP = 2000000;  // nanoseconds between two samples

// MARK: time

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline uint64_t ticks(void) {
#if defined(__x86_64__)
  unsigned aux;
  return __rdtscp(&aux);
#else
  return clock_ns(CLOCK_MONOTONIC);
#endif
}

static double nanoseconds_per_tick = 1;
static FILE *results;

static void calibrate(void) {
  uint64_t first_time = clock_ns(CLOCK_MONOTONIC), first = ticks(), time, last;
  do {
    time = clock_ns(CLOCK_MONOTONIC);
    last = ticks();
  } while (time - first_time < 50000000);
  nanoseconds_per_tick = (double)(time - first_time) / (double)(last - first);
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
  close(descriptor);
}

void bm_report(const char *subject, const char *question, uint32_t threads, const char *figure, double value) {
  fprintf(results, "result\t%s\t%s\t%u\t%s\t%.3f\n", subject, question, threads, figure, value);
  fflush(results);
}

void bm_fail(const char *reason, int status) {
  fprintf(stderr, "%s\n", reason);
  exit(status);
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

// Sorts, and returns the value below which `share` of all lie.
static double percentile(double *values, size_t count, double share) {
  qsort(values, count, sizeof *values, ascending);
  size_t index = (size_t)ceil(share * (double)count);
  return values[index == 0 ? 0 : index - 1];
}

static uint32_t setting(const char *name, uint32_t standard) {
  const char *value = getenv(name);
  return value && atoi(value) > 0 ? (uint32_t)atoi(value) : standard;
}

uint32_t bm_messages(void) { return setting("BENCHMARK_MESSAGES", 1000000); }

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

// MARK: question 1

// Not inlined, so that valgrind can be told to count inside of it (--toggle-collect).
__attribute__((noinline)) void bm_counted(void (*burst)(uint32_t), uint32_t calls) {
  burst(calls);
  __asm__ volatile("" ::: "memory");
}

// Runs `calls` calls for the instruction counter of valgrind, with the ring or queue emptied often, and nothing else. False: not asked for.
static bool count_instructions(void (*burst)(uint32_t), void (*flush)(void)) {
  uint32_t calls = setting("BENCHMARK_INSTRUCTIONS", 0);
  if (calls == 0) return false;
  burst(200);
  if (flush) flush();
  for (uint32_t done = 0; done < calls; done += 200) {
    bm_counted(burst, 200);
    if (flush) flush();
  }
  return true;
}

static double time_burst(void (*burst)(uint32_t), uint32_t calls) {
  uint64_t start = ticks();
  burst(calls);
  return (double)(ticks() - start) * nanoseconds_per_tick / calls;
}

static void in_a_row_without_flush(const char *name, const char *question, void (*burst)(uint32_t)) {
  double values[DISABLED_BURSTS];
  burst(DISABLED_CALLS);
  for (int i = 0; i < DISABLED_BURSTS; i++) values[i] = time_burst(burst, DISABLED_CALLS);
  bm_report(name, question, 1, "p50", percentile(values, DISABLED_BURSTS, 0.5));
  bm_report(name, question, 1, "best", percentile(values, DISABLED_BURSTS, 0));
}

void bm_disabled(const char *name, void (*burst)(uint32_t)) {
  burst(1);
  if (count_instructions(burst, NULL)) return;
  in_a_row_without_flush(name, "disabled", burst);
}

static void baseline_burst(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) {
    if (__builtin_expect(bm_relaxed_load() <= 1, 0)) bm_threshold = (uint8_t)i;
    __asm__ volatile("");
  }
}

void bm_disabled_baseline(void) { bm_disabled("empty relaxed load", baseline_burst); }

static volatile uint64_t seen;
static void burst_ticks(uint32_t calls) {
#if defined(__x86_64__)
  for (uint32_t i = 0; i < calls; i++) seen = __rdtsc();
#else
  for (uint32_t i = 0; i < calls; i++) seen = ticks();
#endif
}
static void burst_realtime(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) seen = clock_ns(CLOCK_REALTIME);
}
static void burst_coarse(uint32_t calls) {
  for (uint32_t i = 0; i < calls; i++) seen = clock_ns(CLOCK_REALTIME_COARSE);
}

void bm_clocks(void) {
  in_a_row_without_flush("rdtsc", "clock", burst_ticks);
  in_a_row_without_flush("clock_gettime", "clock", burst_realtime);
  in_a_row_without_flush("clock_gettime coarse", "clock", burst_coarse);
}

static double cost(BMClock clock) {
  double values[DISABLED_BURSTS / 10];
  void (*burst)(uint32_t) = clock == BM_CLOCK_TICKS ? burst_ticks : clock == BM_CLOCK_REALTIME ? burst_realtime : burst_coarse;
  if (clock == BM_CLOCK_NONE) return 0;
  for (int i = 0; i < DISABLED_BURSTS / 10; i++) values[i] = time_burst(burst, 10000);
  return percentile(values, DISABLED_BURSTS / 10, 0.5);
}

// MARK: question 2

// Waits as a program does that has other work: the thread stays on its core while there is a core for each, and sleeps when there is not.
static void gap(bool spins) {
  if (!spins) {
    struct timespec time = {0, (long)GAP};
    nanosleep(&time, NULL);
    return;
  }
  uint64_t start = ticks();
  while ((double)(ticks() - start) * nanoseconds_per_tick < (double)GAP) {
  }
}

typedef struct {
  const BMSubject *subject;
  uint32_t samples;
  bool spins;
  double *spaced;
  double *row;
  pthread_barrier_t *barrier;
} Caller;

static void *call(void *argument) {
  Caller *caller = argument;
  const BMSubject *subject = caller->subject;
  subject->burst(CALLS_PER_SAMPLE);
  subject->flush();
  pthread_barrier_wait(caller->barrier);
  for (uint32_t i = 0; i < caller->samples; i++) {
    caller->spaced[i] = time_burst(subject->burst, CALLS_PER_SAMPLE);
    gap(caller->spins);
  }
  subject->flush();
  pthread_barrier_wait(caller->barrier);
  for (uint32_t i = 0; i < BURSTS_IN_A_ROW; i++) {
    caller->row[i] = time_burst(subject->burst, CALLS_IN_A_ROW);
    subject->flush();
  }
  return NULL;
}

static void *allocated(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) abort();
  return memory;
}

static void report_calls(const BMSubject *subject, uint32_t threads, const char *question, double *values, size_t count) {
  double p50 = percentile(values, count, 0.5), sum = 0;
  for (size_t i = 0; i < count; i++) sum += values[i];
  bm_report(subject->name, question, threads, "p50", p50);
  bm_report(subject->name, question, threads, "p99", percentile(values, count, 0.99));
  bm_report(subject->name, question, threads, "mean", sum / (double)count);
  bm_report(subject->name, question, threads, "p50 without clock", p50 - cost(subject->clock));
}

static void enabled(const BMSubject *subject, uint32_t threads) {
  uint32_t samples = setting("BENCHMARK_SAMPLES", 1500);
  double *spaced = allocated((size_t)threads * samples, sizeof(double));
  double *row = allocated((size_t)threads * BURSTS_IN_A_ROW, sizeof(double));
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, threads);
  Caller callers[MOST_THREADS];
  pthread_t ids[MOST_THREADS];
  bool spins = (long)threads < sysconf(_SC_NPROCESSORS_ONLN);
  for (uint32_t i = 0; i < threads; i++) {
    callers[i] = (Caller){subject, samples, spins, spaced + i * samples, row + i * BURSTS_IN_A_ROW, &barrier};
    if (pthread_create(&ids[i], NULL, call, &callers[i]) != 0) abort();
  }
  for (uint32_t i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  report_calls(subject, threads, "spaced", spaced, (size_t)threads * samples);
  report_calls(subject, threads, "in a row", row, (size_t)threads * BURSTS_IN_A_ROW);
  free(spaced);
  free(row);
}

static void count_allocations(const BMSubject *subject) {
  subject->burst(CALLS_PER_SAMPLE);
  subject->flush();
  uint64_t before = bm_allocations();
  subject->burst(CALLS_IN_A_ROW);
  bm_report(subject->name, "allocations", 1, "per call", (double)(bm_allocations() - before) / CALLS_IN_A_ROW);
  subject->flush();
}

static double file_size(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? (double)status.st_size : -1;
}

// A subject that writes nothing is quick, and no subject.
static void require_output(const BMSubject *subject) {
  if (subject->path[0] == 0 || file_size(subject->path) > 0) return;
  fprintf(stderr, "%s wrote nothing to %s: its figures mean nothing\n", subject->name, subject->path);
  exit(1);
}

void bm_enabled(BMSubject subject) {
  if (count_instructions(subject.burst, subject.flush)) return;
  enabled(&subject, 1);
  uint32_t many = setting("BENCHMARK_THREADS", MANY_THREADS);
  if (many > 1) enabled(&subject, many < MOST_THREADS ? many : MOST_THREADS);
  count_allocations(&subject);
  require_output(&subject);
}

// MARK: questions 3 and 4

void bm_throughput(BMSubject subject) {
  uint32_t messages = bm_messages();
  double best = INFINITY;
  subject.burst(1);
  subject.flush();
  double bytes = 0;
  for (int round = 0; round < ROUNDS; round++) {
    if (truncate(subject.path, 0) != 0) perror(subject.path);
    uint64_t start = ticks();
    subject.burst(messages);
    subject.flush();
    double seconds = (double)(ticks() - start) * nanoseconds_per_tick / 1e9;
    if (seconds < best) best = seconds;
    bytes = file_size(subject.path);
  }
  require_output(&subject);
  bm_report(subject.name, "throughput", 1, "messages per second", messages / best);
  bm_report(subject.name, "throughput", 1, "bytes per message", bytes / messages);
}

void bm_call_to_file(BMSubject subject) {
  enum { SAMPLES = 500 };
  double values[SAMPLES];
  subject.burst(1);
  subject.flush();
  for (int i = 0; i < SAMPLES; i++) {
    double before = file_size(subject.path);
    uint64_t start = ticks();
    subject.burst(1);
    subject.flush();
    while (file_size(subject.path) == before) {
    }
    values[i] = (double)(ticks() - start) * nanoseconds_per_tick / 1000;
    gap(true);
  }
  bm_report(subject.name, "call to file", 1, "p50", percentile(values, SAMPLES, 0.5));
  bm_report(subject.name, "call to file", 1, "p99", percentile(values, SAMPLES, 0.99));
}
