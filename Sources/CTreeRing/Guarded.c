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

// The thread sanitizer makes calls of its own out of atomic operations, and a jump out of one of those would leave its locks taken. So the access itself is bare,
// and the sanitizer is told apart what it orders. Its signal handler, in front of ours, blocks all signals: only there the mask has to be restored, which is a system call.
#if defined(__has_feature) && __has_feature(thread_sanitizer)
extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);
#define BARE __attribute__((disable_sanitizer_instrumentation, noinline)) static
#define RESTORES_MASK 1
static void tell_acquired(const void *from, size_t count) {
  for (size_t i = 0; i < count; i += 8) __tsan_acquire((char *)from + i);
}
static void tell_released(void *to) { __tsan_release(to); }
#else
#define BARE static inline
#define RESTORES_MASK 0
static inline void tell_acquired(const void *from, size_t count) { (void)from, (void)count; }
static inline void tell_released(void *to) { (void)to; }
#endif

#define GUARDED(access)                \
  sigjmp_buf here;                     \
  pthread_once(&once, install);        \
  if (sigsetjmp(here, RESTORES_MASK) != 0) { \
    way_back = NULL;                   \
    return false;                      \
  }                                    \
  way_back = &here;                    \
  atomic_barrier();                    \
  access;                              \
  atomic_barrier();                    \
  way_back = NULL;                     \
  return true

// Eight bytes at a time where it can be, or four: a position must never be read in two halves. Both addresses are multiples of four.
BARE void copy_bare(char *to, const char *from, size_t count) {
  size_t done = 0;
  if ((uintptr_t)from % 8 == 0 && (uintptr_t)to % 8 == 0) {
    for (; done + 8 <= count; done += 8) *(uint64_t *)(to + done) = __atomic_load_n((const uint64_t *)(from + done), __ATOMIC_ACQUIRE);
  }
  for (; done + 4 <= count; done += 4) *(uint32_t *)(to + done) = __atomic_load_n((const uint32_t *)(from + done), __ATOMIC_ACQUIRE);
  for (; done < count; done++) to[done] = ((const volatile char *)from)[done];
}
BARE void store_bare(uint64_t *to, uint64_t value) { __atomic_store_n(to, value, __ATOMIC_RELEASE); }
BARE void store_bare32(uint32_t *to, uint32_t value) { __atomic_store_n(to, value, __ATOMIC_RELEASE); }
BARE void or_bare(uint32_t *to, uint32_t bits, bool clear) {
  if (clear) __atomic_fetch_and(to, ~bits, __ATOMIC_SEQ_CST);
  else __atomic_fetch_or(to, bits, __ATOMIC_SEQ_CST);
}

bool tr_guarded_copy(void *to, const void *from, size_t count) {
  GUARDED({
    copy_bare(to, from, count);
    tell_acquired(from, count);
  });
}
bool tr_guarded_store64(void *to, uint64_t value) {
  tell_released(to);
  GUARDED(store_bare(to, value));
}
bool tr_guarded_store32(void *to, uint32_t value) {
  tell_released(to);
  GUARDED(store_bare32(to, value));
}
bool tr_guarded_or32(void *to, uint32_t bits, bool clear) {
  tell_released(to);
  GUARDED(or_bare(to, bits, clear));
}
