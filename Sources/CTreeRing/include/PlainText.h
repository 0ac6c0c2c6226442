// Copies of 16 bytes that look at them on the way: whether some need an escape. By the vectors of the compiler, which every processor of a server has; Swift's own compare lane
// by lane.
#pragma once
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef int8_t TRBlock __attribute__((vector_size(16)));

// As signed numbers the bytes from 0x80 are small, too.
#define TR_IS_SPECIAL_IN_TEXT(block) (((block) < (TRBlock){} + 0x20) | ((block) == (TRBlock){} + 0x7F))
#define TR_IS_SPECIAL_IN_JSON(block) (TR_IS_SPECIAL_IN_TEXT(block) | ((block) == (TRBlock){} + '"') | ((block) == (TRBlock){} + '\\'))

static inline uint64_t tr_any(TRBlock found) {
  uint64_t halves[2];
  __builtin_memcpy(halves, &found, 16);
  return halves[0] | halves[1];
}

// Not 0 when one of the 16 bytes is no printable ASCII.
static inline uint64_t tr_move_text(uint8_t *to, const uint8_t *from) {
  TRBlock block;
  __builtin_memcpy(&block, from, 16);
  __builtin_memcpy(to, &block, 16);
  return tr_any((TRBlock)TR_IS_SPECIAL_IN_TEXT(block));
}
// The same, or a quote or backslash.
static inline uint64_t tr_move_json(uint8_t *to, const uint8_t *from) {
  TRBlock block;
  __builtin_memcpy(&block, from, 16);
  __builtin_memcpy(to, &block, 16);
  return tr_any((TRBlock)TR_IS_SPECIAL_IN_JSON(block));
}

// The same looks at two words.
static inline uint64_t tr_look_text(uint64_t first, uint64_t last) {
  TRBlock block;
  uint64_t words[2] = {first, last};
  __builtin_memcpy(&block, words, 16);
  return tr_any((TRBlock)TR_IS_SPECIAL_IN_TEXT(block));
}
static inline uint64_t tr_look_json(uint64_t first, uint64_t last) {
  TRBlock block;
  uint64_t words[2] = {first, last};
  __builtin_memcpy(&block, words, 16);
  return tr_any((TRBlock)TR_IS_SPECIAL_IN_JSON(block));
}

#pragma clang assume_nonnull end
