// Looking up a host's name without waiting for it: getaddrinfo(3) may take minutes, and cannot be given up.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Only named here: with <netdb.h> in this header, Swift takes its types for this module's, and not for Glibc's.
struct addrinfo;

#pragma clang assume_nonnull begin

// A question to the resolver, and its answer.
typedef struct TRLookup TRLookup;

// Asks on a thread of its own, which lives until the resolver answers. NULL with errno when there is no memory or no thread.
TRLookup *_Nullable tr_lookup_begin(const char *host, const char *service, int socket_type);
// Waits for the answer so long at most; whether it is there.
bool tr_lookup_wait(TRLookup *lookup, int64_t nanoseconds);
// The answer, once it is there: 0 and addresses, which are there until the end, or an error of getaddrinfo. *error is errno of EAI_SYSTEM.
int tr_lookup_answer(TRLookup *lookup, struct addrinfo *_Nullable *_Nonnull addresses, int *error);
// Lets go of it. An answer that comes later is thrown away.
void tr_lookup_end(TRLookup *lookup);

// The name of an error of getaddrinfo.
const char *tr_resolver_error(int code);

#pragma clang assume_nonnull end
