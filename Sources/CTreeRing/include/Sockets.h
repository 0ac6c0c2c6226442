// What sinks that speak through sockets need beyond Glibc's Swift module.
#pragma once
#include <stdint.h>

#pragma clang assume_nonnull begin

// A file in memory that can be sealed, closed on exec; -1 with errno.
int tr_memfd(const char *name);
// Nothing of it can be changed any more. 0, or -1 with errno.
int tr_seal(int fd);
// Sends a datagram without bytes that carries a descriptor to the socket's peer (SCM_RIGHTS); never raises SIGPIPE. 0, or -1 with errno.
int tr_send_descriptor(int socket, int fd);
// The next connection of a listening socket, closed on exec from its first moment on; waits for one. The descriptor, or -1 with errno.
int tr_accept(int listener);

#pragma clang assume_nonnull end
