// The thread behind Lookup.h. In C, because a fork may come while the resolver works, and must not find a lock of the language's runtime held by a thread that the
// child does not have.
#define _GNU_SOURCE
#include "Lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "System.h"

struct TRLookup {
  uint32_t answered;  // the futex; published after the answer
  uint32_t owners;    // who asks, and the thread: the last one frees it
  int socket_type;
  int code;
  int error;
  struct addrinfo *addresses;
  char *service;  // behind the host, in the same memory
  char host[];
};

void tr_lookup_end(TRLookup *lookup) {
  if (__atomic_sub_fetch(&lookup->owners, 1, __ATOMIC_ACQ_REL) > 0) return;
  if (lookup->addresses != NULL) freeaddrinfo(lookup->addresses);
  free(lookup);
}

static void *answer(void *context) {
  TRLookup *lookup = context;
  struct addrinfo hints = {.ai_socktype = lookup->socket_type, .ai_flags = AI_NUMERICSERV};
  lookup->code = getaddrinfo(lookup->host, lookup->service, &hints, &lookup->addresses);
  lookup->error = errno;
  if (lookup->code != 0) lookup->addresses = NULL;
  tr_store32(&lookup->answered, 1);
  tr_futex_wake(&lookup->answered, false);
  tr_lookup_end(lookup);
  return NULL;
}

static int start(TRLookup *lookup) {
  pthread_t thread;
  int error = tr_start_thread(&thread, "treering-names", answer, lookup);
  if (error == 0) pthread_detach(thread);
  return error;
}

TRLookup *tr_lookup_begin(const char *host, const char *service, int socket_type) {
  size_t host_size = strlen(host) + 1, service_size = strlen(service) + 1;
  TRLookup *lookup = calloc(1, sizeof *lookup + host_size + service_size);
  if (lookup == NULL) return NULL;
  memcpy(lookup->host, host, host_size);
  lookup->service = lookup->host + host_size;
  memcpy(lookup->service, service, service_size);
  lookup->socket_type = socket_type;
  lookup->owners = 2;
  int error = start(lookup);
  if (error == 0) return lookup;
  free(lookup);
  errno = error;
  return NULL;
}

bool tr_lookup_wait(TRLookup *lookup, int64_t nanoseconds) {
  if (tr_load32(&lookup->answered) == 0 && nanoseconds > 0) tr_futex_wait(&lookup->answered, 0, nanoseconds, false);
  return tr_load32(&lookup->answered) != 0;
}

int tr_lookup_answer(TRLookup *lookup, struct addrinfo **addresses, int *error) {
  *addresses = lookup->addresses;
  *error = lookup->error;
  return lookup->code;
}

const char *tr_resolver_error(int code) { return gai_strerror(code); }
