// The protocols of the benchmarks, in C, so that every subject is measured by the same machine code: the Swift programs link these files,
// and so do the C++ peers. A subject is a handful of functions.
//
// Results go to standard output as it was when the program began, one JSON object a line: `subject`, `question`, `threads`, `figure`, `value`.
// `Benchmarks/report.py` makes tables and charts of them.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

// The clock that a subject reads inside each enabled call.
typedef enum { BM_CLOCK_NONE, BM_CLOCK_TICKS, BM_CLOCK_REALTIME, BM_CLOCK_COARSE } BMClock;

typedef struct {
  const char *name;
  void (*burst)(uint32_t calls);  // makes so many log calls in a row, on any thread
  void (*flush)(void);            // returns when every call that was made before has reached the file
  const char *path;               // the file that the subject writes, to see that it does; empty: a receiver counts, or nobody. Its name stays the caller's
  BMClock clock;
} BMSubject;

// Redirects standard output and standard error to `path` for handlers that write there; results still go where they went.
void bm_redirect_output(const char *path);
// One result. None of the names has a quote or a backslash.
void bm_report(const char *subject, const char *question, uint32_t threads, const char *figure, double value);

// Says why on standard error and ends the program: its figures would mean nothing.
__attribute__((noreturn)) void bm_fail(const char *reason, int status);

// Question 1: what does a call cost that is not logged? `burst` makes disabled calls.
void bm_disabled(const char *name, void (*burst)(uint32_t calls));
// What such a call is held against: one relaxed load and a branch that is not taken.
void bm_disabled_baseline(void);
// What each clock costs.
void bm_clocks(void);

// Question 2: what does a call cost that is logged? Spaced: samples of 20 calls, 2 ms apart. In a row: samples of 1,000 calls, each flushed before the
// next. Every other sample is timed as a whole, the others call by call. By one thread and by BENCHMARK_THREADS (4). And allocations.
void bm_enabled(BMSubject subject);
// The calls in a row of one thread, and the allocations, alone.
void bm_enabled_in_a_row(BMSubject subject);

// Question 3: how fast do records reach their destination? `burst` makes the calls, at full speed; the file is emptied before each round. The figures are
// called those of `question`: "writer", "format" or "sink".
void bm_throughput(BMSubject subject, const char *question);
// Question 4: how long until one record is in the file?
void bm_call_to_file(BMSubject subject);

// Readers for sinks that write to no file. Each makes its thing at `path`, reads on a thread of its own as fast as it can, forgets what it reads and counts the
// bytes. One a process.
void bm_receive_fifo(const char *path);
void bm_receive_datagrams(const char *path);

// Number of allocations that the calling thread has made: malloc, calloc, realloc and their aligned relatives (CountingMalloc.c).
uint64_t bm_allocations(void);

// Messages of question 3: BENCHMARK_MESSAGES, 1,000,000 when it is not set.
uint32_t bm_messages(void);

// The arguments of the calls, which no compiler can know.
int64_t bm_order_id(void);
const char *bm_user_name(void);
double bm_order_total(void);

// The word of the baseline.
extern uint8_t bm_threshold;
static inline uint8_t bm_relaxed_load(void) { return __atomic_load_n(&bm_threshold, __ATOMIC_RELAXED); }

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#ifdef __cplusplus
}
#endif
