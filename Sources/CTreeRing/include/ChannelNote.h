// Notes about debug channels, for a list that is complete without anybody having to register anything.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// One entry of the section `treering_channels`: what a call of a channel says about it. Addresses are distances from the field itself, so that
// nothing has to be relocated when the program is loaded. DebugCatalog reads them from the program's file, never from memory.
typedef struct {
  int32_t name;        //  0  as the program spells it, UTF-8
  uint32_t name_count;
  int32_t about;       //  8  what it is for
  uint32_t about_count;
  int32_t file;        // 16  #fileID of the call; empty when it is not known
  uint32_t file_count;
  uint32_t line;       // 24
  uint32_t unused;
} TRChannelNote;

_Static_assert(sizeof(TRChannelNote) == 32, "channel note");

// Leaves a note in the program's file when the compiler knows the channel's name, which it does wherever a call through a global, a static or a local
// constant is optimised. No instruction is executed, and nothing touches the pages of the section unless a list is asked for. A name that is known only
// at run time leaves nothing; `DebugCatalog` learns of it when the channel is made.
//
// The conditions ask for what the operand "i" needs: a pointer whose first byte the compiler can read is the address of a constant. The section is
// part of memory ("a") and kept ("R"): a note that a linker left out while it keeps what refers to it would be an error of the link.
static inline __attribute__((always_inline)) void tr_note_channel(
    const void *name, size_t name_count, const void *about, size_t about_count, const void *file, size_t file_count, size_t line) {
#if defined(__ELF__) && (defined(__x86_64__) || defined(__aarch64__))
  if (__builtin_constant_p(((const char *)name)[0]) && __builtin_constant_p(name_count) &&
      __builtin_constant_p(((const char *)about)[0]) && __builtin_constant_p(about_count) &&
      __builtin_constant_p(((const char *)file)[0]) && __builtin_constant_p(file_count) && __builtin_constant_p(line)) {
    __asm__ volatile(
        ".pushsection treering_channels,\"aR\",%%progbits\n"
        ".balign 4\n"
        ".long %c0 - ., %c1\n"
        ".long %c2 - ., %c3\n"
        ".long %c4 - ., %c5\n"
        ".long %c6, 0\n"
        ".popsection"
        :: "i"(name), "i"(name_count), "i"(about), "i"(about_count), "i"(file), "i"(file_count), "i"(line));
  }
#else
  (void)name, (void)name_count, (void)about, (void)about_count, (void)file, (void)file_count, (void)line;
#endif
}

#pragma clang assume_nonnull end
