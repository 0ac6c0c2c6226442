// What a log call touches, as `static inline` one-liners: Swift can import neither thread-local variables nor C atomics.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif
#include "Layout.h"

#pragma clang assume_nonnull begin

// MARK: gates

// One gate for each label or channel, found by the low bits of the address of its name. A literal's address is a link-time constant, so a
// disabled call is one load from a fixed table and one branch, without the `swift_once` that a global with an object behind it would cost.
// Two names that share a gate are told apart by `key`; `shared` then sends every call of that gate through the exact check.
typedef struct {
  uint64_t key;       // address of the name that owns the gate
  uint16_t label;     // its id in the label table; 0: not known yet
  uint8_t shared;
  uint8_t threshold;  // calls below this level stop here. 0 at start: the first call finds out.
  uint32_t unused;
} TRGate;

#define TR_GATE_COUNT 65536u
extern TRGate tr_logger_gates[TR_GATE_COUNT];
extern TRGate tr_channel_gates[TR_GATE_COUNT];

static inline uint8_t tr_logger_threshold(const void *name) {
  return __atomic_load_n(&tr_logger_gates[(uint16_t)(uintptr_t)name].threshold, __ATOMIC_RELAXED);
}
static inline uint8_t tr_channel_threshold(const void *name) {
  return __atomic_load_n(&tr_channel_gates[(uint16_t)(uintptr_t)name].threshold, __ATOMIC_RELAXED);
}
// The label id behind an open gate, or 0: ask the slow way.
static inline uint16_t tr_gate_label(const TRGate *gates, const void *name) {
  const TRGate *gate = &gates[(uint16_t)(uintptr_t)name];
  if (gate->key != (uint64_t)(uintptr_t)name || gate->shared) return 0;
  return __atomic_load_n(&gate->label, __ATOMIC_ACQUIRE);
}
static inline uint16_t tr_logger_label(const void *name) { return tr_gate_label(tr_logger_gates, name); }
static inline uint16_t tr_channel_label(const void *name) { return tr_gate_label(tr_channel_gates, name); }

// MARK: the thread

#define TR_MAX_DEPTH 4u

typedef struct {
  TRRing *_Nullable ready;         // the thread's ring while no call is under way; NULL marks it busy, or not made yet
  uint8_t *_Nullable cursor;       // where the text of the call under way begins
  uint8_t *_Nullable limit;        // and how far it may go
  uint32_t depth;        // calls inside calls
  uint32_t making;       // a ring is being made: a signal handler that logs now counts a drop
  uint64_t generation;   // of the ring file the rings belong to
  TRRing *_Nullable rings[TR_MAX_DEPTH];
  uint8_t *_Nullable saved_cursor[TR_MAX_DEPTH];
  uint8_t *_Nullable saved_limit[TR_MAX_DEPTH];
} TRThread;

extern _Thread_local TRThread tr_thread_state __attribute__((tls_model("initial-exec")));

static inline TRThread *tr_thread(void) { return &tr_thread_state; }

// MARK: the process

// What the slow paths of a call need to know of one ring file. Made with the file and never freed, so whoever has read the pointer, in a signal
// handler too, may use it as long as it likes.
typedef struct {
  TRProcessHeader *header;
  int32_t fd;               // -1: anonymous memory
  uint32_t block;           // 1: TREERING_WHEN_FULL=block
  uint64_t generation;      // counts ring files of this process; a thread's rings of an older one are not used again
  TRRing *_Nullable rings[TR_MAX_RINGS];
} TRProducer;

// The ring file that calls go to now; NULL before the start and after a stop.
TRProducer *_Nullable tr_producer(void);
void tr_set_producer(TRProducer *_Nullable producer);
// The writer thread sleeps on it while it is 0.
uint32_t *tr_doorbell(void);

// MARK: the clock

extern uint32_t tr_clock_kind;

static inline uint64_t tr_ticks(void) {
#if defined(__x86_64__)
  if (__builtin_expect(tr_clock_kind == TR_CLOCK_TSC, 1)) return __rdtsc();
#endif
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

// MARK: a call

// Takes the thread's ring and marks it busy. The fence keeps the mark before the read of the head, as a signal handler on this thread sees it.
static inline TRRing *_Nullable tr_take(TRThread *thread) {
  TRRing *_Nullable ring = thread->ready;
  if (__builtin_expect(ring == NULL, 0)) return NULL;
  thread->ready = NULL;
  atomic_signal_fence(memory_order_seq_cst);
  return ring;
}
static inline void tr_give_back(TRThread *thread, TRRing *ring) {
  atomic_signal_fence(memory_order_seq_cst);
  thread->ready = ring;
}
static inline bool tr_has_room(const TRRing *ring) { return (int64_t)(ring->limit - ring->head) >= (int64_t)ring->max_record; }
static inline uint8_t *tr_start(const TRRing *ring) { return (uint8_t *)(uintptr_t)ring->data + (ring->head & ring->mask); }

// Writes the record's header and publishes the record. Returns the ring's attention word, looked at after the head is out: the consumer that
// parks sets the word, then issues a membarrier, then looks at the heads, so one of the two sees the other.
static inline uint32_t tr_commit(TRRing *ring, uint8_t *start, uint8_t *end, uint8_t level, uint8_t flags, uint16_t label) {
  TRRecord *record = (TRRecord *)start;
  uint32_t size = (uint32_t)(end - start);
  record->size = size;
  record->level = level;
  record->flags = flags;
  record->label = label;
  record->ticks = tr_ticks();
  record->sequence = ring->sequence++;
  __atomic_store_n(&ring->head, ring->head + ((size + 7u) & ~7u), __ATOMIC_RELEASE);
  atomic_signal_fence(memory_order_seq_cst);
  return __atomic_load_n(&ring->attention, __ATOMIC_RELAXED);
}

#pragma clang assume_nonnull end
