#pragma once

// What the process supervisor needs of Linux and Swift's Glibc module does not show. One call each.

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Both are in Glibc, but its headers show them under _GNU_SOURCE only, which a module's headers cannot rely on.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int execvpe(const char *file, char *const arguments[], char *const environment[]);

/// A descriptor that polls readable once the process has ended; close-on-exec by itself. -1 and errno on failure.
static inline int tr_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/// waitid(2) for one child, without blocking; what it finds is in members of siginfo_t that Swift cannot see.
/// 1 when the child has ended (code: CLD_*, status: exit status or signal), 0 while it lives, -1 and errno on failure.
static inline int tr_reap(pid_t pid, int *code, int *status) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) != 0) return -1;
  *code = info.si_code;
  *status = info.si_status;
  return info.si_pid == pid;
}

/// The signal this process gets when the thread that spawned it ends. 0, or -1 and errno. (prctl is variadic.)
static inline int tr_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

/// posix_spawn's action for "everything from here on is closed in the child". 0 or an error number.
static inline int tr_spawn_closes_from(posix_spawn_file_actions_t *actions, int from) {
  return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

/// execvp with an environment of its own. Returns only on failure, with errno.
static inline int tr_execvpe(const char *file, char *const arguments[], char *const environment[]) {
  return execvpe(file, arguments, environment);
}

/// The cores this process may run on, one bit each: how many bytes of `mask` were written, or -1 and errno.
static inline int tr_core_mask(unsigned long *mask, size_t bytes) {
  return (int)syscall(SYS_sched_getaffinity, 0, bytes, mask);
}
