// What files need and Glibc's Swift module does not show, one call each. Results: 0 or -1 with errno, unless a line says otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// A shared lock on one byte, of the kind of tr_lock_byte: it also turns the open file's own exclusive lock into a shared one. Needs a readable descriptor.
int tr_share_byte(int fd, int64_t byte);
// A new name for a file, and never one that is taken: EEXIST then.
int tr_rename_new(const char *from, const char *to);
// When the file came to be, in nanoseconds since 1970; 0 where the file system does not say. An inode number alone is used again.
uint64_t tr_birth_time(int fd);
// The calling thread yields to all others, for the processor and for the disk. Never fails: it is a courtesy.
void tr_yield_to_others(void);

// A forked child closes these descriptors. An open file that it shares with its parent would keep the parent's locks alive; a pipe or a connection would not
// end with the parent, and its reader would wait for ever. At most 32 at a time.
void tr_close_in_child(int fd);
void tr_forget_in_child(int fd);
void tr_close_inherited(void);
// A pipe, both ends closed on exec from the start: another thread may start a program at any moment. ends[0] is read from.
int tr_pipe(int *ends);

// Around the work of the thread that packs rotated files, as tr_work_begin and so on are around the writer's: a fork waits for it.
void tr_chore_begin(void);
void tr_chore_pause(void);
void tr_chore_end(void);

// libzstd's ZSTD_inBuffer and ZSTD_outBuffer, which are the same three words.
typedef struct {
  void *_Nullable start;
  size_t size;
  size_t position;
} TRZstdBuffer;

#pragma clang assume_nonnull end
