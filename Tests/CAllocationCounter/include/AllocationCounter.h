// Counts the calling thread's allocations. Linking this target replaces the C library's allocation functions in the whole program by ones that
// count and then do the same.
#pragma once
#include <stdint.h>

// Allocations the calling thread has made since it began: malloc, calloc, realloc and the aligned kinds, from any library of the process.
uint64_t allocation_count(void);
