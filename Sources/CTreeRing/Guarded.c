// Touching a mapping of somebody else's file: when that file is truncated underneath, the kernel sends SIGBUS to the thread that touches it.
// Each guarded access leaves a way back for the handler in a thread-local variable, and says what it touches. Any other SIGBUS, a fault elsewhere or one that somebody sent,
// goes to whoever has the signal besides, as if this handler were not there.
// Only these leaf functions are jumped out of: no Swift frame is ever skipped.
#define _GNU_SOURCE
#include "Guarded.h"

#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "System.h"

static _Thread_local struct {
  sigjmp_buf *way_back;
  uintptr_t from, to;  // where the access begins on either side
  size_t count;
} access_under_way;
// The action that was there before, or the one that `tr_guard_pass_to` has put behind this handler.
static struct sigaction before;
static const struct sigaction *next = &before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// The kernel may tell no more of an address than its page.
static bool lies_in(uintptr_t address, uintptr_t begin, size_t count) {
  return address >= (begin & ~(uintptr_t)4095) && address <= ((begin + count) | 4095);
}

static bool is_guarded(const siginfo_t *info) {
  if (access_under_way.way_back == NULL || info->si_code <= 0) return false;
  uintptr_t address = (uintptr_t)info->si_addr;
  return lies_in(address, access_under_way.from, access_under_way.count) || lies_in(address, access_under_way.to, access_under_way.count);
}

static void caught(int number, siginfo_t *info, void *context) {
  if (is_guarded(info)) siglongjmp(*access_under_way.way_back, 1);
  const struct sigaction *action = __atomic_load_n(&next, __ATOMIC_ACQUIRE);
  if (action->sa_flags & SA_SIGINFO) return action->sa_sigaction(number, info, context);
  if (action->sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) return action->sa_handler(number);
  // Returning repeats a fault, now with the default action. A signal that was sent does not repeat itself.
  signal(number, SIG_DFL);
  if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

static void install(void) {
  struct sigaction action = {0};
  action.sa_sigaction = caught;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, NULL, &before);  // known before the first signal can come here
  sigaction(SIGBUS, &action, NULL);
}

const struct sigaction *tr_guarded_action(void) {
  struct sigaction now;
  pthread_once(&once, install);
  bool is_ours = sigaction(SIGBUS, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO && now.sa_sigaction == caught;
  return is_ours ? __atomic_load_n(&next, __ATOMIC_ACQUIRE) : NULL;
}

void tr_guard_pass_to(const struct sigaction *action) { __atomic_store_n(&next, action, __ATOMIC_RELEASE); }

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

#define GUARDED(target, source, size, access) \
  sigjmp_buf here;                             \
  pthread_once(&once, install);                \
  if (sigsetjmp(here, RESTORES_MASK) != 0) {   \
    access_under_way.way_back = NULL;          \
    return false;                              \
  }                                            \
  access_under_way.to = (uintptr_t)(target);   \
  access_under_way.from = (uintptr_t)(source); \
  access_under_way.count = (size);             \
  atomic_barrier();                            \
  access_under_way.way_back = &here;           \
  atomic_barrier();                            \
  access;                                      \
  atomic_barrier();                            \
  access_under_way.way_back = NULL;            \
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
  GUARDED(to, from, count, {
    copy_bare(to, from, count);
    tell_acquired(from, count);
  });
}
bool tr_guarded_store64(void *to, uint64_t value) {
  tell_released(to);
  GUARDED(to, to, 8, store_bare(to, value));
}
bool tr_guarded_store32(void *to, uint32_t value) {
  tell_released(to);
  GUARDED(to, to, 4, store_bare32(to, value));
}
bool tr_guarded_or32(void *to, uint32_t bits, bool clear) {
  tell_released(to);
  GUARDED(to, to, 4, or_bare(to, bits, clear));
}
