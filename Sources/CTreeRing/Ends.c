// Hooks on the ends of processes and threads.
#include "System.h"

#include <stdlib.h>
#include <time.h>

static void (*drain_at_exit)(void);
static void (*child_of_fork)(void);
static void (*retire_thread)(void *);
static pthread_key_t thread_key;
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;

static void exiting(void) {
  if (drain_at_exit) drain_at_exit();
}

// Exit handlers run last in, first out: one that is registered before main runs after those that the program adds.
__attribute__((constructor)) static void register_exit_handler(void) { atexit(exiting); }

void tr_at_exit(void (*drain)(void)) { drain_at_exit = drain; }

// Held by the writer thread while it works, and by a fork while it copies the process: so the child never inherits a lock of malloc or of the Swift
// runtime that our thread, which does not exist there, would have to let go of. A fork waits for one batch, 100 ms at most.
static pthread_mutex_t fork_gate = PTHREAD_MUTEX_INITIALIZER;
static bool is_fork_gate_held;

static void forking(void) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_nsec += 100000000;
  limit.tv_sec += limit.tv_nsec / 1000000000;
  limit.tv_nsec %= 1000000000;
  is_fork_gate_held = pthread_mutex_timedlock(&fork_gate, &limit) == 0;
}
static void leave_fork(void) {
  if (is_fork_gate_held) pthread_mutex_unlock(&fork_gate);
}
static void forked(void) {
  if (is_fork_gate_held) pthread_mutex_unlock(&fork_gate);
  else fork_gate = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  if (child_of_fork) child_of_fork();
}

void tr_fork_gate_close(void) { pthread_mutex_lock(&fork_gate); }
void tr_fork_gate_open(void) { pthread_mutex_unlock(&fork_gate); }

void tr_at_fork(void (*child)(void)) {
  bool first = child_of_fork == NULL;
  child_of_fork = child;
  if (first) pthread_atfork(forking, leave_fork, forked);
}

static void thread_ended(void *thread) {
  if (retire_thread) retire_thread(thread);
}
static void make_thread_key(void) { pthread_key_create(&thread_key, thread_ended); }

void tr_watch_thread_end(void (*retire)(void *_Nullable), void *thread) {
  retire_thread = retire;
  pthread_once(&thread_key_once, make_thread_key);
  pthread_setspecific(thread_key, thread);
}
