#include "CallSite.h"

TRGate tr_logger_gates[TR_GATE_COUNT];
TRGate tr_channel_gates[TR_GATE_COUNT];
TRSite tr_sites[TR_MAX_SITES] __attribute__((aligned(256)));
// The first two are no call's.
TRSiteDetails tr_site_details[TR_MAX_SITES] = {{.is_taken = 1}, {.is_taken = 1}};
uint32_t tr_site_order[TR_MAX_SITES];
uint64_t tr_sites_known;
const uint8_t tr_element_name = 0;
_Thread_local TRThread tr_thread_state;
uint32_t tr_calls;

// The words of a string (swift, stdlib/public/core/StringObject.swift, 64 bits). The second one's top bits: 60 set, the bytes are not at hand; 61 set, they are
// these two words, and bits 56 to 59 count them; else the rest is the address of an object, whose bytes begin 32 behind it, or that address, less 32, of bytes that are
// never freed. The first word then holds the count in its low 48 bits, and bit 60 says that the bytes do begin there.
enum { LONGEST_COPY = 32, OBJECT_HEADER = 32 };
#define STRING_IS_ELSEWHERE (1ull << 60)
#define STRING_IS_SMALL (1ull << 61)
#define STRING_ADDRESS ((1ull << 60) - 1)
#define STRING_IS_BEHIND_OBJECT (1ull << 60)
#define STRING_COUNT ((1ull << 48) - 1)

static inline void put_length(uint8_t *place, size_t count) {
  uint16_t length = (uint16_t)count;
  __builtin_memcpy(place, &length, sizeof length);
}

TR_PRESERVES_REGISTERS uint8_t *tr_copy_string_words(uint64_t low, uint64_t high, uint8_t *place, const uint8_t *limit) {
  if (__builtin_expect((intptr_t)limit - (intptr_t)place < 2 + LONGEST_COPY, 0)) return NULL;
  if (high & STRING_IS_SMALL) {
    if (__builtin_expect((high & STRING_IS_ELSEWHERE) != 0, 0)) return NULL;
    size_t count = high >> 56 & 15;
    put_length(place, count);
    // All sixteen bytes: what comes next is written over those that are too many.
    __builtin_memcpy(place + 2, &low, 8);
    __builtin_memcpy(place + 10, &high, 8);
    return place + 2 + count;
  }
  if (__builtin_expect((high & STRING_IS_ELSEWHERE) != 0, 0)) return NULL;
  // The count, or a larger number when the bytes do not begin there.
  size_t count = (low ^ STRING_IS_BEHIND_OBJECT) & (STRING_IS_BEHIND_OBJECT | STRING_COUNT);
  if (__builtin_expect(count > LONGEST_COPY, 0)) return NULL;
  put_length(place, count);
  tr_copy_at_most_32(place + 2, (const void *)((high & STRING_ADDRESS) + OBJECT_HEADER), count);
  return place + 2 + count;
}

static TRProducer *producer;
TRProducer *tr_producer(void) { return __atomic_load_n(&producer, __ATOMIC_ACQUIRE); }
void tr_set_producer(TRProducer *next) { __atomic_store_n(&producer, next, __ATOMIC_RELEASE); }

static uint32_t doorbell;
uint32_t *tr_doorbell(void) { return &doorbell; }
