// The black box: a small file beside the ring file that tells, after a crash, what nobody was there to log.
//
//   offset 0         TRBlackBox     whose it is, and the crash slot
//   TR_BOX_MAPS      text           what was mapped to be executed, as lines of /proc/self/maps, at the crash
//   TR_BOX_LINES     TR_FLIGHT_LINES slots of TR_FLIGHT_SLOT bytes: the last debug lines (TRFlightLine); missing where no flight recorder was asked for
//
// Written by the process alone, read by others when it is dead. Little-endian.
#pragma once
// First: with it the types of Glibc are that module's, whoever includes them next.
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "Flight.h"

#pragma clang assume_nonnull begin

#define TR_BOX_MAGIC 0x584f424545525454ull  // "TTREEBOX"
#define TR_BOX_VERSION 1u
#define TR_BOX_MAPS 4096u
#define TR_BOX_MAPS_SIZE 28672u
#define TR_BOX_LINES 32768u
#define TR_BOX_FRAMES 64u

typedef struct {
  uint64_t magic;           //   0
  uint32_t version;         //   8
  uint32_t pid;             //  12
  uint64_t start_time;      //  16  of the process, clock ticks after boot: with the pid, who it is
  uint64_t lines;           //  24  debug lines ever written
  uint32_t state;           //  32  0 no crash, 1 one is being written down, 2 its registers are here, 3 all is
  int32_t signal_number;    //  36
  int32_t signal_code;      //  40
  uint32_t thread;          //  44
  uint64_t time;            //  48  nanoseconds since 1970
  uint64_t fault_address;   //  56
  uint64_t pc;              //  64
  uint32_t frame_count;     //  72
  uint32_t maps_size;       //  76
  char thread_name[16];     //  80
  uint64_t frames[TR_BOX_FRAMES];  // 96  addresses of instructions, the crashing one first; those behind it are return addresses
} TRBlackBox;

_Static_assert(TR_BOX_LINES == TR_BOX_MAPS + TR_BOX_MAPS_SIZE, "the lines follow the maps");
_Static_assert(sizeof(TRBlackBox) <= TR_BOX_MAPS, "the crash slot ends before the maps");

static inline uint64_t *tr_box_line_count(TRBlackBox *box) { return &box->lines; }

// Writes a crash by SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE or SIGSEGV down in `box`, and then lets things go as they would have gone: the handler that was there
// before is called when it is the language runtime's, and the process dies by its signal. A signal for which the program has set a handler is left
// alone. Returns how many signals are watched. `is_runtime` says that a handler outside of every library may be the runtime's (it is linked in).
int tr_watch_crashes(TRBlackBox *box, bool is_runtime);
// Whether crashes are written down.
bool tr_watches_crashes(void);
// They are not written down any more in this box, or, for NULL, in any: it is gone, or it is the parent's.
void tr_forget_crashes(const TRBlackBox *_Nullable box);
// Gives the calling thread a stack for the handler, unless it has one: a thread that has used up its own could not run it. Given back when the thread ends.
void tr_prepare_thread_for_crash(void);

#pragma clang assume_nonnull end
