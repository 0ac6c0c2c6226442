// The layout of a ring file: what lies in shared memory, byte by byte. All integers are little-endian.
//
//   offset 0            TRProcessHeader        who writes, its clock, the intent journal
//   TR_LABELS_OFFSET    label table            entries of [u16 length][bytes], each padded to 8 bytes; id = offset / 8 + 1
//   TR_SITES_OFFSET     site table             u32 offsets[TR_MAX_SITES] from here, 0: none; then what the sites' records have in common (SiteTable.swift)
//   TR_RINGS_OFFSET     slot 0                 TRRing (one `ring_header_size`), then `ring_capacity` bytes of records
//   … + slot_size       slot 1                 and so on, at most `max_rings`
//
// A ring's records are mapped twice back to back in its producer, so a record never wraps there.
// A reader in another process maps only the headers and copies the records (`pread`) before it believes a byte.
#pragma once
#include <stdint.h>

#define TR_MAGIC 0x474e495245455254ull  // "TREERING"
#define TR_VERSION 5u
#define TR_HEADER_SIZE 65536u           // a multiple of every page size in use, 64 KiB on some arm64
#define TR_LABELS_OFFSET 16384u
#define TR_LABELS_SIZE (TR_HEADER_SIZE - TR_LABELS_OFFSET)
#define TR_SITES_OFFSET 65536u
#define TR_SITES_SIZE 524288u           // allocated as it fills, TR_SITES_STEP at a time
#define TR_SITES_STEP 65536u
#define TR_RINGS_OFFSET 589824u         // TR_SITES_OFFSET + TR_SITES_SIZE
#define TR_MAX_SITES 4096u
#define TR_MAX_RINGS 1024u
#define TR_MAX_SINKS 4u
#define TR_PATH_SIZE 1024u
#define TR_INTENT_HEAD 64u
#define TR_INTENT_TAIL 1024u
#define TR_LEVELS 8u
#define TR_CAUSES 4u

// Bits of TRRing.attention: a producer looks at them once, after it has committed.
#define TR_ATTENTION_PARKED 1u  // the consumer sleeps: wake it
#define TR_ATTENTION_SEALED 2u  // the ring is closed: what was just committed may not be drained
#define TR_ATTENTION_NESTED 4u  // the ring belongs to calls inside calls: the end of a call is not the end of the outer one
#define TR_ATTENTION_DIVERTED 8u  // the ring is a test's, for one call: never in a file
#define TR_ATTENTION_ASIDE 16u  // the ring is for one line of a debug channel that is off: never in a file
#define TR_ATTENTION_LEARNING 32u  // the call under way tells what its site is made of

// Bits of TRRing.calls, and of tr_calls: how calls go.
#define TR_CALL_TAKES_TSC 1u      // their time is the processor's counter
#define TR_CALL_TASK_CONTEXTS 2u  // they look for a context of their task

// TRRing.owner
#define TR_OWNER_FREE 0u    // no thread owns it; the next thread takes it
#define TR_OWNER_THREAD 1u

// TRProcessHeader.mode
#define TR_MODE_THREAD 0u    // a writer thread in the process drains the rings
#define TR_MODE_EXTERNAL 1u  // a collector does

// TRProcessHeader.clock_kind
#define TR_CLOCK_TSC 1u        // the processor's own counter: rdtsc, CNTVCT_EL0 on arm64
#define TR_CLOCK_MONOTONIC 2u

// How far one sink of the writer is with one ring. Where all goes well it is where the ring is; the rest is for sinks that failed, and those with a filter.
typedef struct {
  uint64_t reached;     // records with smaller numbers are in the sink, or the sink says itself that they are not
  uint64_t owed;        // records between here and `consumed` that it has not got
  uint64_t owed_drops;  // drops of which the stream was told, and it was not
  uint64_t filtered;    // records that its level and labels have left out since the ring began
} TRSinkState;

// When calls left no record, by one cause. Written before they are counted, so whoever finds one counted finds its time.
typedef struct {
  uint64_t begin;  // so many had been counted before this stretch of them …
  uint64_t first;  // … which begins with one at this tick …
  uint64_t last;   // … and has gone on to this one
} TRDropTimes;

// The consumer's side of the same. `seen` ends a stretch: the drop behind it begins the next one. What had begun before is kept here, for the notice that tells it may
// fail, and its consumer die; so the first time of what is not told yet is the one of these two beginnings that comes first and is not told.
typedef struct {
  uint64_t seen;
  uint64_t begin;
  uint64_t first;
} TRDropMark;

// One ring: single producer (the owning thread), single consumer (whoever holds byte 1 of the file's locks).
// Each group lies on its own pair of cache lines, by who writes it.
typedef struct {
  // Written by the producer; `attention` rarely by the consumer, and read by the producer after every commit. All that a call touches of it is one line.
  uint64_t head;          //   0  bytes ever committed; published with release
  uint64_t limit;         //   8  a call that finds the head behind this asks for room: cached tail + capacity - reserve - max_record
  uint64_t sequence;      //  16  of the next record
  uint64_t mask;          //  24  capacity - 1
  uint64_t data;          //  32  address of the records in the producer; means nothing to others
  uint64_t max_record;    //  40  bytes of the largest record
  uint32_t attention;     //  48  TR_ATTENTION_…
  uint32_t calls;         //  52  TR_CALL_…
  uint32_t index;         //  56
  uint32_t owner;         //  60  TR_OWNER_…
  uint32_t thread;        //  64  kernel thread id of the owner
  uint32_t depth;         //  68  0: calls, 1…: calls inside calls
  uint32_t pad0[46];
  // Written by the consumer.
  uint64_t tail;          // 256  bytes released
  uint64_t consumed;      // 264  records released, which is the next expected sequence number
  uint64_t pending_tail;  // 272  the same two after the batch of the intent journal
  uint64_t pending_consumed;  // 280
  uint64_t sealed_head;   // 288  where a sealed ring ends, | 1; 0: not decided yet. What was committed behind it belongs to another file.
  uint64_t unreadable;    // 296  bytes skipped because they made no sense
  uint64_t high_water;    // 304  most bytes that ever waited here, as the consumer found them
  uint64_t pad2[9];
  // Written by the producer when it drops: how many, by cause and level, and when.
  uint64_t dropped[TR_CAUSES * TR_LEVELS];    // 384
  TRDropTimes drop_times[TR_CAUSES];          // 640
  uint64_t truncated;     // 736
  uint64_t pad3[3];
  // Written by the consumer: the part of `dropped` that the stream has been told of, and what the journalled batch tells.
  uint64_t told[TR_CAUSES * TR_LEVELS];          // 768
  uint64_t pending_told[TR_CAUSES * TR_LEVELS];  // 1024
  TRSinkState sinks[TR_MAX_SINKS];               // 1280
  TRSinkState pending_sinks[TR_MAX_SINKS];       // 1408  the same after the journalled batch
  TRDropMark drop_marks[TR_CAUSES];              // 1536
} TRRing;

// What one sink was about to receive when the batch was journalled.
typedef struct {
  uint32_t kind;       // 0 none, 1 regular file with one writer, 2 anything whose end cannot be known afterwards
  uint32_t unused;
  uint64_t device;
  uint64_t inode;
  uint64_t birth;      // when the file came to be, nanoseconds since 1970, or 0: inode numbers are used again
  uint64_t offset;     // the file's length before the batch
  uint64_t length;     // the batch's
  uint64_t tail_hash;  // of the batch's last TR_INTENT_TAIL bytes: whether it is this batch that stands there
  uint8_t head[TR_INTENT_HEAD];  // the batch's first bytes: whether it is this batch that begins there
  char path[TR_PATH_SIZE];
} TRIntent;

typedef struct {
  uint64_t magic;             //   0
  uint32_t version;           //   8
  uint32_t header_size;       //  12
  uint32_t ring_header_size;  //  16
  uint32_t max_rings;         //  20
  uint64_t ring_capacity;     //  24
  uint64_t slot_size;         //  32
  uint32_t pid;               //  40
  uint32_t mode;              //  44
  uint64_t start_time;        //  48  of the process, clock ticks after boot (proc(5), stat, field 22)
  uint8_t boot_id[16];        //  56
  uint8_t stream_id[16];      //  72
  uint32_t clock_kind;        //  88
  uint32_t ring_count;        //  92
  uint64_t clock_ticks;       //  96  a moment on the producer's tick counter …
  uint64_t clock_realtime;    // 104  … the same moment in nanoseconds since 1970 …
  double clock_period;        // 112  … and nanoseconds per tick
  uint32_t labels_end;        // 120  bytes of the label table in use
  uint32_t sealed;            // 124  2: being sealed, 1: the producer will commit nothing more, though it may live on
  uint64_t lost[TR_LEVELS];   // 128  calls that found no ring at all, by level
  uint64_t lost_told[TR_LEVELS];          // 192  the part that the stream has been told of
  uint64_t pending_lost_told[TR_LEVELS];  // 256  and after the journalled batch
  TRDropTimes lost_times;     // 320
  TRDropMark lost_mark;       // 344
  uint64_t intent_state;      // 368  0 none, 1 a batch is on its way, 2 it is the last one (closing records), 3 that one has arrived
  char program[128];          // 376
  char sinks[2048];           // 504  the sinks of the writer thread, as TREERING_SINK spells them
  char format[16];            // 2552
  TRIntent intents[TR_MAX_SINKS];  // 2568
  uint32_t sites_end;         // bytes of the site table in use, the offsets included
  uint32_t sites_allocated;   // and bytes of it that the file has pages for
  uint64_t sink_keys[TR_MAX_SINKS];  // whose the numbers in TRRing.sinks are: a hash of the sink's name, or 0
  uint64_t lost_reached[TR_MAX_SINKS];          // the part of `lost_told` that each sink was told of
  uint64_t pending_lost_reached[TR_MAX_SINKS];  // and after the journalled batch
  uint64_t closed;          // a bit for each sink that has got the closing records
  uint64_t pending_closed;
  uint32_t bell;            // a collector in another process sleeps on it while it is 0 (futex(2))
  uint32_t bell_is_rung;    // 1: the producers ring it when they find TR_ATTENTION_PARKED, and take part in the collector's membarrier(2)
} TRProcessHeader;

// A record's fixed part; segments follow (see RecordLayout.swift).
typedef struct {
  uint16_t size;      //  0  bytes in use, this header included; the next record starts at the next multiple of 8
  uint16_t site;      //  2  id in the site table, 0: every segment says itself what it is
  uint8_t level;      //  4
  uint8_t flags;      //  5
  uint16_t label;     //  6  id in the label table, 0: the label is the first segment
  uint64_t ticks;     //  8
  uint64_t sequence;  // 16
} TRRecord;

_Static_assert(TR_RINGS_OFFSET == TR_SITES_OFFSET + TR_SITES_SIZE && TR_SITES_OFFSET == TR_HEADER_SIZE, "places");
_Static_assert(sizeof(TRRecord) == 24, "record header");
_Static_assert(__builtin_offsetof(TRRing, attention) == 48, "attention");
_Static_assert(__builtin_offsetof(TRRing, tail) == 256, "tail");
_Static_assert(__builtin_offsetof(TRRing, dropped) == 384, "dropped");
_Static_assert(__builtin_offsetof(TRRing, told) == 768, "told");
_Static_assert(sizeof(TRRing) <= 4096, "a ring's header fits the smallest page");
_Static_assert(sizeof(TRProcessHeader) <= TR_LABELS_OFFSET, "the header ends before the labels");
