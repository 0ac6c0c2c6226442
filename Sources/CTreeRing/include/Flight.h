// Lines of debug channels that are off, kept aside in case they are wanted: the memory they are kept in, and the rings that such calls write to.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "CallSite.h"

#pragma clang assume_nonnull begin

#define TR_FLIGHT_SLOT 1024u
#define TR_FLIGHT_LINES 128u     // of a process
#define TR_FLIGHT_RECORD 768u    // bytes of a record; what is longer is cut by the call itself

// The beginning of a slot. The record follows, then its call site's entry as in the site table of a ring file: so a line can be read without that file.
typedef struct {
  uint64_t number;  //  0  which line it is, from 1, stored last; 0 while it is written
  uint64_t time;    //  8  nanoseconds since 1970
  uint32_t thread;  // 16  kernel thread id of who said it
  uint16_t record;  // 20  bytes
  uint16_t site;    // 22  bytes; 0: the record says everything itself
} TRFlightLine;
_Static_assert(sizeof(TRFlightLine) == 24, "flight line");

// The calling thread's calls that go aside. Each depth has a page: a TRRing, what is put back when the call ends, and room for one record.
typedef struct {
  uint32_t depth;                    // calls under way
  uint32_t thread;                   // kernel id
  TRRing *_Nullable pending;         // the ring that the call which has just asked is about to take
  TRRing *_Nullable rings[TR_MAX_DEPTH];
} TRFlightThread;

#define TR_FLIGHT_PAGE 4096u
_Static_assert(sizeof(TRRing) + 64 + TR_FLIGHT_RECORD + 256 <= TR_FLIGHT_PAGE, "a page holds a ring's header and a record with its slack");

extern _Thread_local TRFlightThread tr_flight_state __attribute__((tls_model("initial-exec")));
static inline TRFlightThread *tr_flight_thread(void) { return &tr_flight_state; }

// Whether the thread has a ring for one more such call. Makes it when it is missing: one system call, and safe in a signal handler.
bool tr_flight_has_ring(void);
// That ring, taken until `tr_flight_end`; NULL when there is none.
TRRing *_Nullable tr_flight_begin(void);
static inline void tr_flight_end(void) { tr_flight_thread()->depth--; }
// The ring that waits for the call under way, if one does.
static inline TRRing *_Nullable tr_flight_take_pending(void) {
  TRRing *_Nullable ring = tr_flight_thread()->pending;
  tr_flight_thread()->pending = NULL;
  return ring;
}

// Where the lines of channels that are off are kept for the whole process, TR_FLIGHT_LINES slots; NULL when nobody asked for that.
void *_Nullable tr_flight_lines(void);
void tr_set_flight_lines(void *_Nullable lines, uint64_t *_Nullable count);
// How many there ever were.
uint64_t *_Nullable tr_flight_count(void);

#pragma clang assume_nonnull end
