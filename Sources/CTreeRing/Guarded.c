// Touching a mapping of somebody else's file: when that file is truncated underneath, the kernel sends SIGBUS to the thread that touches it.
// Each guarded access leaves a way back for the handler in a thread-local variable; a SIGBUS outside of one goes to whoever had the signal before.
// Only these leaf functions are jumped out of: no Swift frame is ever skipped.
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "System.h"

static _Thread_local sigjmp_buf *way_back;
static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void caught(int signal_number, siginfo_t *info, void *context) {
  if (way_back) siglongjmp(*way_back, 1);
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal_number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal_number);
  } else {
    signal(signal_number, SIG_DFL);  // returning repeats the fault, now with the default action
  }
}

static void install(void) {
  struct sigaction action = {0};
  action.sa_sigaction = caught;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

static inline void atomic_barrier(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

#define GUARDED(access)                \
  sigjmp_buf here;                     \
  pthread_once(&once, install);        \
  if (sigsetjmp(here, 0) != 0) {       \
    way_back = NULL;                   \
    return false;                      \
  }                                    \
  way_back = &here;                    \
  atomic_barrier();                    \
  access;                              \
  atomic_barrier();                    \
  way_back = NULL;                     \
  return true

bool tr_guarded_copy(void *to, const void *from, size_t count) {
  // Eight bytes at a time where it can be: a position must never be read in two halves.
  GUARDED({
    size_t words = ((uintptr_t)from % 8 == 0 && (uintptr_t)to % 8 == 0) ? count / 8 : 0;
    for (size_t i = 0; i < words; i++) ((uint64_t *)to)[i] = __atomic_load_n((const uint64_t *)from + i, __ATOMIC_ACQUIRE);
    memcpy((char *)to + words * 8, (const char *)from + words * 8, count - words * 8);
  });
}
bool tr_guarded_store64(void *to, uint64_t value) { GUARDED(__atomic_store_n((uint64_t *)to, value, __ATOMIC_RELEASE)); }
bool tr_guarded_or32(void *to, uint32_t bits, bool clear) {
  GUARDED({
    if (clear) __atomic_fetch_and((uint32_t *)to, ~bits, __ATOMIC_SEQ_CST);
    else __atomic_fetch_or((uint32_t *)to, bits, __ATOMIC_SEQ_CST);
  });
}
