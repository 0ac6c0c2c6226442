// The system calls behind Files.h.
#define _GNU_SOURCE
#include "Files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int tr_share_byte(int fd, int64_t byte) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock);
}

int tr_rename_new(const char *from, const char *to) {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // A file system that cannot: a link is refused where the name is taken, too.
  return link(from, to) == 0 ? unlink(from) : -1;
}

uint64_t tr_birth_time(int fd) {
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return 0;
  return (uint64_t)status.stx_btime.tv_sec * 1000000000u + status.stx_btime.tv_nsec;
}

void tr_yield_to_others(void) {
  // On Linux both are of a thread. Low, and not lowest: on a machine that is never idle files must still be compressed faster than they are written.
  // 1: IOPRIO_WHO_PROCESS, 2 << 13 | 7: the last of the usual class (ioprio_set(2)).
  pid_t thread = (pid_t)syscall(SYS_gettid);
  setpriority(PRIO_PROCESS, (id_t)thread, 10);
  syscall(SYS_ioprio_set, 1, thread, 2 << 13 | 7);
}

int tr_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

#define TR_CHILD_CLOSES 32
static int closed_in_child[TR_CHILD_CLOSES];  // descriptor + 1; 0: free

static void exchange_one(int from, int to) {
  for (int i = 0; i < TR_CHILD_CLOSES; i++) {
    int expected = from;
    if (__atomic_compare_exchange_n(&closed_in_child[i], &expected, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  }
}
void tr_close_in_child(int fd) { exchange_one(0, fd + 1); }
void tr_forget_in_child(int fd) { exchange_one(fd + 1, 0); }
void tr_close_inherited(void) {
  for (int i = 0; i < TR_CHILD_CLOSES; i++) {
    if (closed_in_child[i] > 0) close(closed_in_child[i] - 1);
    closed_in_child[i] = 0;
  }
}
