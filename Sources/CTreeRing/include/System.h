// System calls and atomics that Glibc's Swift module lacks, one line each.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: atomics on fields of shared memory

static inline uint64_t tr_load64(const void *p) { return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE); }
static inline void tr_store64(void *p, uint64_t value) { __atomic_store_n((uint64_t *)p, value, __ATOMIC_RELEASE); }
static inline uint32_t tr_load32(const void *p) { return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE); }
static inline void tr_store32(void *p, uint32_t value) { __atomic_store_n((uint32_t *)p, value, __ATOMIC_RELEASE); }
static inline uint32_t tr_or32(void *p, uint32_t bits) { return __atomic_fetch_or((uint32_t *)p, bits, __ATOMIC_SEQ_CST); }
static inline uint32_t tr_and32(void *p, uint32_t bits) { return __atomic_fetch_and((uint32_t *)p, bits, __ATOMIC_SEQ_CST); }
static inline bool tr_exchange_if32(void *p, uint32_t expected, uint32_t desired) {
  return __atomic_compare_exchange_n((uint32_t *)p, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline bool tr_exchange_if64(void *p, uint64_t expected, uint64_t desired) {
  return __atomic_compare_exchange_n((uint64_t *)p, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline uint64_t tr_add64(void *p, uint64_t value) { return __atomic_fetch_add((uint64_t *)p, value, __ATOMIC_RELAXED); }
static inline void tr_store8(void *p, uint8_t value) { __atomic_store_n((uint8_t *)p, value, __ATOMIC_RELEASE); }
static inline uint16_t tr_load16(const void *p) { return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE); }
static inline void tr_store16(void *p, uint16_t value) { __atomic_store_n((uint16_t *)p, value, __ATOMIC_RELEASE); }

// MARK: system calls

int tr_gettid(void);
// A negative timeout waits for ever. `shared`: the word is seen by other processes.
int tr_futex_wait(void *word, uint32_t expected, int64_t nanoseconds, bool shared);
int tr_futex_wake(void *word, bool shared);
// Waits until one of the words, which other processes may see, is not 0 any more; 64 words at most, a negative timeout waits for ever. -1 with errno: ENOSYS
// where the kernel is older than 5.16 and there is more than one word.
int tr_futex_wait_any(uint32_t *_Nonnull const *_Nonnull words, size_t count, int64_t nanoseconds);
int tr_membarrier_register(void);
int tr_membarrier(void);
// The same among all processes that have registered for it: of one that drains the rings of others, and of those.
int tr_membarrier_register_global(void);
int tr_membarrier_global(void);
int tr_fallocate(int fd, int64_t offset, int64_t length);
int64_t tr_getrandom(void *bytes, size_t count);
// pthread_create(3) for a thread that takes no signals. `name`: 15 bytes at most, NULL: the program's. 0, or an error number; it is to be joined or detached.
int tr_start_thread(pthread_t *thread, const char *_Nullable name, void *_Nullable (*_Nonnull body)(void *_Nullable), void *context);
// Of the calling thread.
int tr_set_thread_name(const char *name);
int tr_set_thread_nice(int nice);
int tr_set_thread_cores(const uint64_t *mask, size_t bytes);
char *_Nullable tr_secure_getenv(const char *name);
// A descriptor that polls readable when a file gets its name in the directory, as ring files do; -1 when there is no such directory, or no more watches.
int tr_watch_directory(const char *path);
// 0: not a terminal, or one that does not say.
int tr_terminal_columns(int fd);
// The source's spelling of a mangled Swift name, to be freed; NULL when it is none.
char *_Nullable tr_demangle(const char *name, size_t count);
// Starts a program, found as a shell would find it, with `input` as its standard input. 0 or an error number. `arguments` ends with NULL.
int tr_spawn_reader(char *_Nullable const *_Nonnull arguments, int input, int *pid);
// Open-file-description locks on one byte: they belong to the open file, not to the process. Results: 0 or -1 with errno.
int tr_lock_byte(int fd, int64_t byte);
int tr_unlock_byte(int fd, int64_t byte);
// 1: another open file holds the byte, 0: nobody does, -1: errno.
int tr_is_byte_locked(int fd, int64_t byte);

// MARK: memory that may vanish (another process can truncate a file that is mapped here)

// Copies, and returns false instead of dying by SIGBUS when the pages are gone. Guarded.c tells how.
bool tr_guarded_copy(void *to, const void *from, size_t count);
bool tr_guarded_store64(void *to, uint64_t value);
bool tr_guarded_store32(void *to, uint32_t value);
bool tr_guarded_or32(void *to, uint32_t bits, bool clear);

// MARK: ends of a process

// Calls `drain` when the process exits normally, after nearly every other exit handler (this one is registered before main).
void tr_at_exit(void (*drain)(void));
// Calls `child` in a forked child. Registered once. A fork waits until the writer thread is between two batches, so that the child does not inherit
// locks which that thread holds, of the language's runtime for instance.
void tr_at_fork(void (*child)(void));
// Around the writer thread's work. `pause` is called between batches; it returns at once when nobody forks.
void tr_work_begin(void);
void tr_work_pause(void);
void tr_work_end(void);
// Around the control thread's work, for the same reason.
void tr_answer_begin(void);
void tr_answer_end(void);
// In a forked child: puts private memory in the place of the parent's rings, closes its file, and forgets both. Even an address that a call under way
// holds stays good. Without this the child's mappings would hold the parent's locks after the parent's death.
void tr_leave_parent(void);
// Calls `retire` with the thread's state when a thread that has logged ends; the main thread's does not.
void tr_watch_thread_end(void (*retire)(void *_Nullable), void *thread);

// MARK: memory

// Makes `copy` show the same pages as `original`, which is shared memory.
bool tr_alias(void *original, void *copy, size_t count);

#pragma clang assume_nonnull end
