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
// Two names whose addresses agree in these bits share a gate. It belongs to the first that asks; the other finds an address that is not its own, in
// the same load, and takes the exact check on every call: rare, slower, right.
typedef struct {
  uint64_t word;   // address of the owner's name << 8 | threshold: the owner's calls below it stop here. 0: nobody's yet
  uint16_t label;  // the owner's id in the label table; 0: not known yet
  uint16_t unused[3];
} TRGate;

#define TR_GATE_COUNT 65536u
extern TRGate tr_logger_gates[TR_GATE_COUNT];
extern TRGate tr_channel_gates[TR_GATE_COUNT];

// The threshold of a name, or a number above 255 when the gate is another name's, or nobody's yet.
static inline uint64_t tr_gate_threshold(const TRGate *gates, const void *name) {
  return __atomic_load_n(&gates[(uint16_t)(uintptr_t)name].word, __ATOMIC_RELAXED) - ((uint64_t)(uintptr_t)name << 8);
}
static inline uint64_t tr_logger_threshold(const void *name) { return tr_gate_threshold(tr_logger_gates, name); }

// Whether a call goes on: false only for level < threshold <= 255, in one comparison.
static inline bool tr_logger_passes(const void *name, uint8_t level) {
  return tr_gate_threshold(tr_logger_gates, name) - level - 1u >= 255u - level;
}
static inline bool tr_channel_passes(const void *name, uint8_t level) {
  return tr_gate_threshold(tr_channel_gates, name) - level - 1u >= 255u - level;
}
// The label id of the gate's owner, or 0: ask the slow way.
static inline uint16_t tr_gate_label(const TRGate *gates, const void *name) {
  if (tr_gate_threshold(gates, name) > 255u) return 0;
  return __atomic_load_n(&gates[(uint16_t)(uintptr_t)name].label, __ATOMIC_ACQUIRE);
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
  uint64_t vacant[TR_MAX_RINGS / 64];  // slots below ring_count that no ring could be made in, one bit each
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
#elif defined(__aarch64__)
  if (__builtin_expect(tr_clock_kind == TR_CLOCK_TSC, 1)) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
  }
#endif
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

// MARK: a call

// A copy between memory that does not overlap: for a length that is a constant, a few moves. (Swift's own copies allow overlap, and test for it.)
static inline void tr_copy(void *to, const void *from, size_t count) { __builtin_memcpy(to, from, count); }

// The same for a length that is not known before, and is small as a rule: two moves that overlap in the middle, and no call.
static inline void tr_copy_short(void *to, const void *from, size_t count) {
  char *target = (char *)to;
  const char *source = (const char *)from;
  if (count > 32) {
    __builtin_memcpy(target, source, count);
  } else if (count >= 16) {
    __builtin_memcpy(target, source, 16);
    __builtin_memcpy(target + count - 16, source + count - 16, 16);
  } else if (count >= 8) {
    __builtin_memcpy(target, source, 8);
    __builtin_memcpy(target + count - 8, source + count - 8, 8);
  } else if (count >= 4) {
    __builtin_memcpy(target, source, 4);
    __builtin_memcpy(target + count - 4, source + count - 4, 4);
  } else if (count > 0) {
    target[0] = source[0];
    target[count / 2] = source[count / 2];
    target[count - 1] = source[count - 1];
  }
}

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

// Asks for the cache lines that records a few calls from now will be written to. The consumer read them one lap ago, so they lie shared in its core's
// cache; without this the stores of a call wait until they are this core's alone. 1 KiB is about ten calls, which is how long that takes.
static inline void tr_claim_ahead(const uint8_t *start) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(start[1024]));
  __asm__ volatile("prefetchw %0" : : "m"(start[1088]));
#else
  __builtin_prefetch(start + 1024, 1);
  __builtin_prefetch(start + 1088, 1);
#endif
}

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
  tr_claim_ahead(start);
  return __atomic_load_n(&ring->attention, __ATOMIC_RELAXED);
}

#pragma clang assume_nonnull end
