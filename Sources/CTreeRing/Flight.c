// The pages that threads write lines into which go aside (Flight.h).
#define _GNU_SOURCE
#include "Flight.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "System.h"

_Thread_local TRFlightThread tr_flight_state;

static void *lines;
static uint64_t *line_count;
void *tr_flight_lines(void) { return __atomic_load_n(&lines, __ATOMIC_ACQUIRE); }
uint64_t *tr_flight_count(void) { return line_count; }
void tr_set_flight_lines(void *next, uint64_t *count) {
  if (count != NULL) line_count = count;
  __atomic_store_n(&lines, next, __ATOMIC_RELEASE);
}

static pthread_key_t thread_key;
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;

// The last thing that a thread may call is a line that goes aside, in another destructor: then it maps a page once more, and this runs again.
static void thread_ended(void *state) {
  TRFlightThread *thread = state;
  for (uint32_t depth = 0; depth < TR_MAX_DEPTH; depth++) {
    TRRing *ring = thread->rings[depth];
    thread->rings[depth] = NULL;
    if (ring != NULL) munmap(ring, TR_FLIGHT_PAGE);
  }
}
static void make_thread_key(void) { pthread_key_create(&thread_key, thread_ended); }

bool tr_flight_has_ring(void) {
  TRFlightThread *thread = tr_flight_thread();
  uint32_t depth = thread->depth;
  if (depth >= TR_MAX_DEPTH) return false;
  if (__builtin_expect(thread->rings[depth] != NULL, 1)) return true;
  void *page = mmap(NULL, TR_FLIGHT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  // A signal handler that came meanwhile may have made one: its call has ended, so either page will do.
  TRRing *none = NULL;
  if (!__atomic_compare_exchange_n(&thread->rings[depth], &none, page, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) munmap(page, TR_FLIGHT_PAGE);
  thread->thread = (uint32_t)tr_gettid();
  pthread_once(&thread_key_once, make_thread_key);
  pthread_setspecific(thread_key, thread);
  return true;
}

TRRing *tr_flight_begin(void) {
  if (!tr_flight_has_ring()) return NULL;
  TRFlightThread *thread = tr_flight_thread();
  TRRing *ring = thread->rings[thread->depth++];
  atomic_signal_fence(memory_order_seq_cst);
  return ring;
}
