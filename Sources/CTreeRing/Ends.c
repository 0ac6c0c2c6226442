// Hooks on the starts and ends of processes and threads.
#include "System.h"

#include <stdlib.h>
#include <string.h>

// DebugListing.swift defines it. Weak: a program may have this target without that one.
extern __attribute__((weak)) void tr_list_channels_at_start(void);

// Before main, when nothing of the program has run: a list that no call has to trigger.
__attribute__((constructor)) static void starting(void) {
  const char *channels = tr_secure_getenv("DEBUG");
  if (channels != NULL && strchr(channels, '?') != NULL && tr_list_channels_at_start) tr_list_channels_at_start();
}

static void (*drain_at_exit)(void);
static void (*retire_thread)(void *);
static pthread_key_t thread_key;
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;

static void exiting(void) {
  void (*drain)(void) = __atomic_load_n(&drain_at_exit, __ATOMIC_ACQUIRE);
  if (drain) drain();
}

// Exit handlers run last in, first out: one that is registered before main runs after those that the program adds.
__attribute__((constructor)) static void register_exit_handler(void) { atexit(exiting); }

void tr_at_exit(void (*drain)(void)) { __atomic_store_n(&drain_at_exit, drain, __ATOMIC_RELEASE); }

static void thread_ended(void *thread) {
  void (*retire)(void *) = __atomic_load_n(&retire_thread, __ATOMIC_ACQUIRE);
  if (retire) retire(thread);
}
static void make_thread_key(void) { pthread_key_create(&thread_key, thread_ended); }

void tr_watch_thread_end(void (*retire)(void *_Nullable), void *thread) {
  __atomic_store_n(&retire_thread, retire, __ATOMIC_RELEASE);
  pthread_once(&thread_key_once, make_thread_key);
  pthread_setspecific(thread_key, thread);
}
