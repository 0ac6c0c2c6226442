// The system calls behind System.h: out of line, because their declarations need _GNU_SOURCE and none of them is hot.
#define _GNU_SOURCE
#include "System.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int tr_gettid(void) { return (int)syscall(SYS_gettid); }
int tr_futex_wait(void *word, uint32_t expected, int64_t nanoseconds, bool shared) {
  struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  int operation = FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG);
  return (int)syscall(SYS_futex, word, operation, expected, nanoseconds < 0 ? NULL : &timeout, NULL, 0);
}
int tr_futex_wake(void *word, bool shared) {
  return (int)syscall(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), INT32_MAX, NULL, NULL, 0);
}

// futex_waitv(2) is newer than the headers that this has to be built with. The number is the same on all architectures.
#define TR_SYS_FUTEX_WAITV 449
#define TR_FUTEX_SIZE_32 2u
#define TR_MOST_WORDS 64
typedef struct {
  uint64_t expected;
  uint64_t address;
  uint32_t flags;
  uint32_t unused;
} TRFutexWait;

int tr_futex_wait_any(uint32_t *const *words, size_t count, int64_t nanoseconds) {
  if (count == 1) return tr_futex_wait(words[0], 0, nanoseconds, true);
  TRFutexWait waits[TR_MOST_WORDS] = {{0}};
  if (count == 0 || count > TR_MOST_WORDS) {
    errno = EINVAL;
    return -1;
  }
  for (size_t i = 0; i < count; i++) waits[i] = (TRFutexWait){.address = (uintptr_t)words[i], .flags = TR_FUTEX_SIZE_32};
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += nanoseconds / 1000000000;
  end.tv_nsec += nanoseconds % 1000000000;
  if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
  return (int)syscall(TR_SYS_FUTEX_WAITV, waits, count, 0, nanoseconds < 0 ? NULL : &end, CLOCK_MONOTONIC);
}
int tr_membarrier_register(void) { return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0); }
int tr_membarrier(void) { return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }
int tr_membarrier_register_global(void) { return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0); }
int tr_membarrier_global(void) { return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0); }
int tr_fallocate(int fd, int64_t offset, int64_t length) { return fallocate(fd, 0, offset, length); }
int64_t tr_getrandom(void *bytes, size_t count) { return getrandom(bytes, count, 0); }
int tr_start_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *context) {
  sigset_t all, before;
  sigfillset(&all);
  // A thread has from its first moment on what the one has that starts it.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(thread, NULL, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0 && name != NULL) pthread_setname_np(*thread, name);
  return error;
}
int tr_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
int tr_set_thread_nice(int nice) { return setpriority(PRIO_PROCESS, (id_t)tr_gettid(), nice); }
int tr_set_thread_cores(const uint64_t *mask, size_t bytes) { return (int)syscall(SYS_sched_setaffinity, 0, bytes, mask); }
char *tr_secure_getenv(const char *name) { return secure_getenv(name); }

// Of libswiftCore; its header is not among the toolchain's.
extern char *swift_demangle(const char *, size_t, char *, size_t *, uint32_t) __attribute__((weak));
char *tr_demangle(const char *name, size_t count) {
  return swift_demangle ? swift_demangle(name, count, NULL, NULL, 0) : NULL;
}
int tr_lock_byte(int fd, int64_t byte) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock);
}
int tr_unlock_byte(int fd, int64_t byte) {
  struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock);
}
int tr_is_byte_locked(int fd, int64_t byte) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return -1;
  return lock.l_type != F_UNLCK;
}
int tr_watch_directory(const char *path) {
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd >= 0 && inotify_add_watch(fd, path, IN_MOVED_TO | IN_ONLYDIR) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}
int tr_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
bool tr_alias(void *original, void *copy, size_t count) {
  return mremap(original, 0, count, MREMAP_MAYMOVE | MREMAP_FIXED, copy) == copy;
}
