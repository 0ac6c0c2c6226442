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
//
// A gate is one word: the owner's address << 8, plus threshold << 16, plus the owner's id in the label table (0: not known yet). The owner's calls below the
// threshold stop here. 0: nobody's yet. Taking away one's own address << 8 leaves less than 2^24 for the owner alone: the addresses of others who look here
// differ by multiples of 2^16.
typedef uint64_t TRGate;

#define TR_GATE_COUNT 65536u
extern TRGate tr_logger_gates[TR_GATE_COUNT];
extern TRGate tr_channel_gates[TR_GATE_COUNT];

static inline uint64_t tr_gate_owner(const void *name) { return (uint64_t)(uintptr_t)name << 8; }

// Threshold << 16 | label of a name, or a number from 2^24 when the gate is another name's, or nobody's yet.
static inline uint64_t tr_gate(const TRGate *gates, const void *name) {
  return __atomic_load_n(&gates[(uint16_t)(uintptr_t)name], __ATOMIC_ACQUIRE) - tr_gate_owner(name);
}
static inline uint64_t tr_logger_gate(const void *name) { return tr_gate(tr_logger_gates, name); }
static inline uint64_t tr_channel_gate(const void *name) { return tr_gate(tr_channel_gates, name); }

// Whether a call goes on: false only for level < threshold <= 255, in one comparison.
static inline bool tr_gate_passes(uint64_t gate, uint8_t level) {
  uint64_t least = ((uint64_t)level + 1) << 16;
  return gate - least >= (1u << 24) - least;
}
// The threshold of a name, or a number above 255.
static inline uint64_t tr_gate_threshold(uint64_t gate) { return gate >> 16; }
// The label id of the gate's owner, or 0: ask the slow way.
static inline uint16_t tr_gate_label(uint64_t gate) { return gate < 1u << 24 ? (uint16_t)gate : 0; }

// MARK: call sites

// What the records of one call in the source have in common: its literals and keys, in order. They are constants of the program, so their addresses are
// enough to know them by, and a record of a known site carries neither: only values. A writer goes through `slots` as it is called, and what is not what the slot
// says is written in full; so a slot is a guess that is checked, and a wrong guess costs bytes, not truth.
#define TR_SITE_SLOTS 28u
#define TR_SITE_NONE 0u       // tr_sites[0]: nothing is known, nothing is learnt
#define TR_SITE_LEARNING 1u   // tr_sites[1]: nothing is known, and the thread notes the pieces (TRThread.pieces)
#define TR_SITE_FIRST 2u
#define TR_SITE_PROBES 8u

typedef struct {
  const uint8_t *_Nullable file;    //  0  identity: `#fileID`, by its address, stored last, or NULL while the site is not known …
  uint64_t place;                   //  8  … and line << 16 | column
  uint64_t id;                      // 16  in the site tables of ring files, which is its place in this one; 0: none
  uint64_t text_bytes;              // 24  bytes of the slots up to and with the last literal
  uint64_t slots[TR_SITE_SLOTS];    // 32  address of a literal, or of a key + 1; the last one in use is followed by 0
} TRSite;
_Static_assert(sizeof(TRSite) == 256, "a site begins on a cache line");

// What only the maker of a ring file needs to know of a site.
typedef struct {
  const uint8_t *_Nullable file;
  uint16_t counts[TR_SITE_SLOTS];   // bytes of each piece
  uint32_t keys;                    // bit n: piece n is a key
  uint16_t pieces;
  uint16_t file_count;
  uint32_t is_taken;                // 1: this place of the table is some site's, known or not
} TRSiteDetails;

// One literal or key.
typedef struct {
  const uint8_t *_Nullable start;
  uint32_t count;
  uint32_t is_key;
} TRPiece;

extern TRSite tr_sites[TR_MAX_SITES];
extern TRSiteDetails tr_site_details[TR_MAX_SITES];
extern uint32_t tr_site_order[TR_MAX_SITES];  // places of the sites in the order in which they became known
extern uint64_t tr_sites_known;               // so many of it

// Where in the table a site is looked for first, in bytes. The table is its own index: a call after a pause waits for each cache line and each page that it touches, and this is one
// less of both. A site whose place is another's stands in one of the next, TR_SITE_PROBES in all, and is looked for there out of line.
static inline uint32_t tr_site_offset(const uint8_t *file, uint64_t place) {
  uint32_t mixed = (uint32_t)((place * 0x9e3779b97f4a7c15ull) >> 40) * (uint32_t)sizeof(TRSite);
  return ((uint32_t)(uintptr_t)file + mixed) & (TR_MAX_SITES - 1u) * (uint32_t)sizeof(TRSite);
}

static inline bool tr_site_is(const TRSite *site, const uint8_t *file, uint64_t place) {
  return __atomic_load_n(&site->file, __ATOMIC_ACQUIRE) == file && site->place == place;
}
// The site, or NULL when it does not stand where it is looked for first.
static inline const TRSite *_Nullable tr_site(const uint8_t *file, uint64_t place) {
  const TRSite *site = (const TRSite *)((const char *)tr_sites + tr_site_offset(file, place));
  return __builtin_expect(tr_site_is(site, file, place), 1) ? site : NULL;
}
static inline const uint64_t *tr_site_slots(const TRSite *site) { return site->slots; }
static inline const TRSite *tr_site_at(uint32_t index) { return &tr_sites[index]; }
static inline const uint64_t *tr_slot(uintptr_t address) { return (const uint64_t *)address; }
// Whether a writer that stands at `slot` after the text has passed all literals.
static inline bool tr_site_text_is_through(const TRSite *site, const uint64_t *slot) {
  return __builtin_expect((uintptr_t)slot >= (uintptr_t)site->slots + site->text_bytes, 1);
}
// The site that a slot belongs to.
static inline const TRSite *tr_site_of_slot(const uint64_t *slot) { return &tr_sites[((uintptr_t)slot - (uintptr_t)tr_sites) / sizeof(TRSite)]; }

// The name of an array's element, which has none: an address to know it by.
extern const uint8_t tr_element_name;
static inline const uint8_t *tr_element(void) { return &tr_element_name; }

// MARK: the thread

#define TR_MAX_DEPTH 4u

typedef struct {
  TRRing *_Nullable ready;         // the thread's ring while no call is under way; NULL marks it busy, or not made yet
  uint8_t *_Nullable cursor;       // where the text of the call under way begins
  uint8_t *_Nullable limit;        // and how far it may go
  const uint64_t *_Nullable slots; // and what is expected of it
  uint32_t depth;        // calls inside calls
  uint32_t making;       // a ring is being made: a signal handler that logs now counts a drop
  uint64_t generation;   // of the ring file the rings belong to
  TRRing *_Nullable rings[TR_MAX_DEPTH];
  uint8_t *_Nullable saved_cursor[TR_MAX_DEPTH];
  uint8_t *_Nullable saved_limit[TR_MAX_DEPTH];
  const uint64_t *_Nullable saved_slots[TR_MAX_DEPTH];
  // Of a call whose site is learnt.
  const uint8_t *_Nullable learnt_file;
  uint64_t learnt_place;
  uint32_t learnt_file_count;
  uint32_t piece_count;
  TRPiece pieces[TR_SITE_SLOTS];
} TRThread;

extern _Thread_local TRThread tr_thread_state __attribute__((tls_model("initial-exec")));

static inline TRThread *tr_thread(void) { return &tr_thread_state; }

// MARK: the process

// TR_CALL_…: how the calls of this process go. Every ring has a copy, on the line that a call touches anyway.
extern uint32_t tr_calls;

static inline uint32_t tr_how_calls_go(void) { return __atomic_load_n(&tr_calls, __ATOMIC_SEQ_CST); }

// What the slow paths of a call need to know of one ring file. Made with the file and never freed, so whoever has read the pointer, in a signal
// handler too, may use it as long as it likes.
typedef struct {
  TRProcessHeader *header;
  int32_t fd;               // TR_FILE_…; only between tr_use_file and tr_leave_file
  uint32_t fd_users;        // calls that are between the two now
  uint32_t block;           // 1: TREERING_WHEN_FULL=block
  uint64_t generation;      // counts ring files of this process; a thread's rings of an older one are not used again
  TRRing *_Nullable rings[TR_MAX_RINGS];
  uint64_t vacant[TR_MAX_RINGS / 64];  // slots below ring_count that no ring could be made in, one bit each
} TRProducer;

#define TR_FILE_NONE (-1)    // anonymous memory
#define TR_FILE_CLOSED (-2)  // the session is over

// A call that makes a ring, or notes a site, may have read which file is current just before that was closed; the number must not become another file's under its
// hands. So it says that it uses the file, and then looks whether there is one; who closes it takes it away first, and then looks whether somebody uses it. Both
// are full barriers, so one of the two sees the other.
static inline int32_t tr_use_file(TRProducer *producer) {
  __atomic_fetch_add(&producer->fd_users, 1, __ATOMIC_SEQ_CST);
  return __atomic_load_n(&producer->fd, __ATOMIC_SEQ_CST);
}
static inline void tr_leave_file(TRProducer *producer) { __atomic_fetch_sub(&producer->fd_users, 1, __ATOMIC_SEQ_CST); }
// The file, which is the caller's to close once nobody uses it.
static inline int32_t tr_take_file(TRProducer *producer) { return __atomic_exchange_n(&producer->fd, TR_FILE_CLOSED, __ATOMIC_SEQ_CST); }
static inline bool tr_is_file_used(TRProducer *producer) { return __atomic_load_n(&producer->fd_users, __ATOMIC_SEQ_CST) != 0; }

// The ring file that calls go to now; NULL before the start and after a stop.
TRProducer *_Nullable tr_producer(void);
void tr_set_producer(TRProducer *_Nullable producer);
// The writer thread sleeps on it while it is 0.
uint32_t *tr_doorbell(void);

// MARK: the clock

static inline uint64_t tr_ticks_as(uint32_t calls) {
#if defined(__x86_64__)
  if (__builtin_expect(calls & TR_CALL_TAKES_TSC, 1)) return __rdtsc();
#elif defined(__aarch64__)
  if (__builtin_expect(calls & TR_CALL_TAKES_TSC, 1)) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
  }
#endif
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline uint64_t tr_ticks(void) { return tr_ticks_as(__atomic_load_n(&tr_calls, __ATOMIC_RELAXED)); }

// MARK: a call

// A copy between memory that does not overlap: for a length that is a constant, a few moves. (Swift's own copies allow overlap, and test for it.)
static inline void tr_copy(void *to, const void *from, size_t count) { __builtin_memcpy(to, from, count); }

// The same for at most 32 bytes: two moves that overlap in the middle, and no call.
static inline void tr_copy_at_most_32(void *to, const void *from, size_t count) {
  char *target = (char *)to;
  const char *source = (const char *)from;
  if (count >= 16) {
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

// The same for a length that is small as a rule.
static inline void tr_copy_short(void *to, const void *from, size_t count) {
  if (count > 32) {
    __builtin_memcpy(to, from, count);
  } else {
    tr_copy_at_most_32(to, from, count);
  }
}

// Leaves nearly all registers as they are, so that a call that does not need it does not save them.
#if defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#define TR_PRESERVES_REGISTERS __attribute__((preserve_most))
#else
#define TR_PRESERVES_REGISTERS
#endif
uint8_t *_Nullable tr_copy_string_words(uint64_t low, uint64_t high, uint8_t *place, const uint8_t *_Nullable limit) TR_PRESERVES_REGISTERS;

// Copies the string that the two words of a Swift String stand for; see StringCopy.swift. NULL: not one of the usual form, or no room.
static inline uint8_t *_Nullable tr_copy_string(uint64_t low, uint64_t high, uint8_t *place, const uint8_t *_Nullable limit) {
  return tr_copy_string_words(low, high, place, limit);
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
static inline bool tr_has_room(const TRRing *ring) { return ring->head <= ring->limit; }
static inline bool tr_looks_for_task_context(const TRRing *ring) {
  return __builtin_expect((__atomic_load_n(&ring->calls, __ATOMIC_RELAXED) & TR_CALL_TASK_CONTEXTS) != 0, 0);
}
static inline uint8_t *tr_start(const TRRing *ring) { return (uint8_t *)(uintptr_t)ring->data + (ring->head & ring->mask); }

// Asks for the cache lines that records a few calls from now will be written to. The consumer read them one lap ago, so they lie shared in its core's
// cache; without this the stores of a call wait until they are this core's alone. 1 KiB is about a dozen calls, which is how long that takes.
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
static inline uint32_t tr_commit(
    TRRing *ring, uint8_t *start, uint8_t *end, uint16_t site, uint8_t level, uint8_t flags, uint16_t label) {
  uint64_t size = (uint64_t)(end - start), sequence = ring->sequence;
  TRRecord *record = (TRRecord *)start;
  record->size = (uint16_t)size;
  record->site = site;
  uint32_t kind = (uint32_t)level | (uint32_t)flags << 8 | (uint32_t)label << 16;
  __builtin_memcpy(&record->level, &kind, sizeof kind);
  record->ticks = tr_ticks_as(ring->calls);
  record->sequence = sequence;
  // Whoever surveys the rings reads it at any moment.
  __atomic_store_n(&ring->sequence, sequence + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&ring->head, ring->head + ((size + 7u) & ~(uint64_t)7u), __ATOMIC_RELEASE);
  atomic_signal_fence(memory_order_seq_cst);
  tr_claim_ahead(start);
  return __atomic_load_n(&ring->attention, __ATOMIC_RELAXED);
}

#pragma clang assume_nonnull end
