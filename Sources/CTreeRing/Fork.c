// What fork(2) needs, so that a child neither hangs nor touches its parent's rings.
//
// In C, because between fork and exec nothing may wait for a lock that a thread of the parent held, and Swift code may: the runtime keeps locks
// around its tables of types.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "CallSite.h"
#include "Files.h"
#include "System.h"

static void (*child_of_fork)(void);

// MARK: what the forking thread was writing

// The rings in which the forking thread has calls under way (it forks in an argument of a log call), as they are before the fork: afterwards the parent
// goes on writing to them. Held from before a fork until after it.
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;
static struct {
  uint8_t header[TR_HEADER_SIZE];
  uint8_t record[TR_HEADER_SIZE];
} kept[TR_MAX_DEPTH];
static _Thread_local uint32_t kept_count;  // the part of it that is the calling thread's

static void keep_calls_under_way(void) {
  TRThread *thread = tr_thread();
  TRProducer *producer = tr_producer();
  if (producer == NULL || thread->ready != NULL || thread->generation != producer->generation) return;
  if (thread->rings[0] == NULL) return;
  pthread_mutex_lock(&keeping);
  for (uint32_t depth = 0; depth <= thread->depth && thread->rings[depth] != NULL; depth++) {
    TRRing *ring = thread->rings[depth];
    memcpy(kept[depth].header, ring, producer->header->ring_header_size);
    memcpy(kept[depth].record, tr_start(ring), ring->max_record);
    kept_count = depth + 1;
  }
}

static void forget_calls_under_way(void) {
  if (kept_count == 0) return;
  kept_count = 0;
  pthread_mutex_unlock(&keeping);
}

// Puts private memory in the place of the ring. It is sealed: the end of the call moves the record to the child's own file.
static void restore_call(TRRing *ring, uint32_t depth, size_t ring_header, size_t size) {
  int access = PROT_READ | PROT_WRITE;
  if (mmap(ring, size, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return;
  memcpy(ring, kept[depth].header, ring_header);
  memcpy(tr_start(ring), kept[depth].record, ring->max_record);
  ring->sealed_head = ring->head | 1;
  ring->attention |= TR_ATTENTION_SEALED;
}

// MARK: the writer thread rests while somebody forks

// Held by the writer thread while it does anything but sleep.
static pthread_mutex_t at_work = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t at_chores = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;  // the same for the thread that packs rotated files
static uint32_t forks_waiting;
static _Thread_local bool holds_writer, holds_chores;

static void pause_for_forks(pthread_mutex_t *work) {
  if (__atomic_load_n(&forks_waiting, __ATOMIC_ACQUIRE) == 0) return;
  struct timespec moment = {0, 50000};
  pthread_mutex_unlock(work);
  while (__atomic_load_n(&forks_waiting, __ATOMIC_ACQUIRE) != 0) nanosleep(&moment, NULL);
  pthread_mutex_lock(work);
}

// Held by the control thread while it does anything but wait for a request.
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool holds_control;

void tr_answer_begin(void) { pthread_mutex_lock(&answering); }
void tr_answer_end(void) { pthread_mutex_unlock(&answering); }

void tr_work_begin(void) { pthread_mutex_lock(&at_work); }
void tr_work_pause(void) { pause_for_forks(&at_work); }
void tr_work_end(void) { pthread_mutex_unlock(&at_work); }

void tr_chore_begin(void) { pthread_mutex_lock(&at_chores); }
void tr_chore_pause(void) { pause_for_forks(&at_chores); }
void tr_chore_end(void) { pthread_mutex_unlock(&at_chores); }

// Waits for the end of the batch, and of the chore's step, a second at most: a sink may be slow, and a fork must not be.
static void before_fork(void) {
  __atomic_fetch_add(&forks_waiting, 1, __ATOMIC_ACQ_REL);
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 1;
  holds_writer = pthread_mutex_timedlock(&at_work, &end) == 0;
  holds_control = pthread_mutex_timedlock(&answering, &end) == 0;
  holds_chores = pthread_mutex_timedlock(&at_chores, &end) == 0;
  keep_calls_under_way();
}

static void after_fork_in_parent(void) {
  forget_calls_under_way();
  if (holds_control) pthread_mutex_unlock(&answering);
  if (holds_chores) pthread_mutex_unlock(&at_chores);
  if (holds_writer) pthread_mutex_unlock(&at_work);
  __atomic_fetch_sub(&forks_waiting, 1, __ATOMIC_ACQ_REL);
}

static void after_fork_in_child(void) {
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&at_work, &kind);
  pthread_mutex_init(&answering, NULL);
  pthread_mutex_init(&at_chores, &kind);
  __atomic_store_n(&forks_waiting, 0, __ATOMIC_RELEASE);
  if (child_of_fork) child_of_fork();
  kept_count = 0;
  pthread_mutex_init(&keeping, NULL);
}

void tr_at_fork(void (*child)(void)) {
  bool first = child_of_fork == NULL;
  child_of_fork = child;
  if (first) pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

// MARK: the child's memory is its own

static void leave_rings(TRProducer *producer, TRThread *thread) {
  size_t ring_header = producer->header->ring_header_size;
  size_t size = ring_header + 2 * producer->header->ring_capacity;
  for (uint32_t index = 0; index < TR_MAX_RINGS; index++) {
    TRRing *ring = producer->rings[index];
    uint32_t depth = 0;
    while (depth < kept_count && thread->rings[depth] != ring) depth++;
    if (ring == NULL) continue;
    if (depth < kept_count) restore_call(ring, depth, ring_header, size);
    else munmap(ring, size);
  }
}

// The header stays readable: its labels are copied into the child's file. Of the sites the process knows all it needs.
static void leave_header(TRProcessHeader *header) {
  uint8_t *copy = kept[0].header;
  memcpy(copy, header, TR_HEADER_SIZE);
  int access = PROT_READ | PROT_WRITE;
  if (mmap(header, TR_RINGS_OFFSET, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return;
  memcpy(header, copy, TR_HEADER_SIZE);
}

void tr_leave_parent(void) {
  TRProducer *producer = tr_producer();
  TRThread *thread = tr_thread();
  if (producer != NULL) {
    leave_rings(producer, thread);
    leave_header(producer->header);
    if (producer->fd >= 0) close(producer->fd);
  }
  tr_close_inherited();
  tr_set_producer(NULL);
  memset(thread, 0, sizeof *thread);
}
