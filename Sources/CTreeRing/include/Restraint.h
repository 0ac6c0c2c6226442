// What the process knows of calls that restrain themselves: rate limits, samples, repeats. A fixed table, so that a call needs no lock and no allocation.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#define TR_RESTRAINT_COUNT 1024u
#define TR_RESTRAINT_PROBES 16u

typedef struct {
  uint64_t identity;    //  0  of the call: a hash of file, line and column; 0: free
  uint64_t window;      //  8  what the rule remembers: RateWindow, a count, or when the last record of its kind was written
  uint64_t last;        // 16  hash of the last record, where repeats are folded
  uint64_t withheld;    // 24  records that were not written and have not been told of
  const uint8_t *_Nullable file;  // 32  #fileID
  uint64_t place;       // 40  line << 16 | column
  const uint8_t *_Nullable name;  // 48  the logger's label, or the channel's name
  uint32_t file_count;  // 56
  uint16_t name_count;  // 60
  uint8_t level;        // 62
  uint8_t kind;         // 63  bit 0: what is withheld are repeats; bit 1: the name is a debug channel's
} TRRestraint;
_Static_assert(sizeof(TRRestraint) == 64, "one cache line");

extern TRRestraint tr_restraints[TR_RESTRAINT_COUNT];

// The entry of a call, made when there is none; NULL when its neighbourhood is full.
static inline TRRestraint *_Nullable tr_restraint(uint64_t identity) {
  for (uint32_t probe = 0; probe < TR_RESTRAINT_PROBES; probe++) {
    TRRestraint *entry = &tr_restraints[(identity + probe) % TR_RESTRAINT_COUNT];
    uint64_t owner = __atomic_load_n(&entry->identity, __ATOMIC_RELAXED);
    if (owner == identity) return entry;
    if (owner == 0) {
      if (__atomic_compare_exchange_n(&entry->identity, &owner, identity, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return entry;
      if (owner == identity) return entry;
    }
  }
  return 0;
}

static inline TRRestraint *tr_restraint_table(void) { return tr_restraints; }
static inline uint64_t *tr_restraint_window(TRRestraint *entry) { return &entry->window; }
static inline uint64_t *tr_restraint_last(TRRestraint *entry) { return &entry->last; }
static inline uint64_t *tr_restraint_withheld(TRRestraint *entry) { return &entry->withheld; }
static inline uint64_t tr_restraint_place(const TRRestraint *entry) { return __atomic_load_n(&entry->place, __ATOMIC_ACQUIRE); }

// Writes down where the call stands and who logs there. Threads that come at the same time write the same; the place comes last, and with it the rest can be read.
static inline void tr_restraint_describe(
    TRRestraint *entry, const uint8_t *file, uint32_t file_count, uint64_t place, const uint8_t *name, uint16_t name_count, uint8_t level, uint8_t kind) {
  __atomic_store_n(&entry->file, file, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->file_count, file_count, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->name, name, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->name_count, name_count, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->level, level, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->kind, kind, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->place, place, __ATOMIC_RELEASE);
}

#pragma clang assume_nonnull end
