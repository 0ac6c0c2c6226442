// Readers for sinks that write to no file: a pipe's, and a daemon's socket. They take the second core, as a real reader does, and do no more than read.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "Measure.h"

static _Atomic int64_t received = -1;

double bm_received(void) { return (double)received; }

static void *read_all(void *argument) {
  static char bytes[1 << 20];
  int descriptor = (int)(intptr_t)argument;
  for (;;) {
    ssize_t count = read(descriptor, bytes, sizeof bytes);
    if (count > 0) received += count;
    if (count < 0) return NULL;
  }
}

static void start(int descriptor, const char *path) {
  pthread_t reader;
  if (descriptor < 0) {
    perror(path);
    exit(1);
  }
  received = 0;
  if (pthread_create(&reader, NULL, read_all, (void *)(intptr_t)descriptor) != 0) abort();
  pthread_detach(reader);
}

// Opened for writing too, so that reading never ends.
void bm_receive_fifo(const char *path) {
  unlink(path);
  mkfifo(path, 0600);
  start(open(path, O_RDWR | O_CLOEXEC), path);
}

void bm_receive_datagrams(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) bm_fail("the path of a socket has at most 107 bytes: set TMPDIR to a shorter one", 1);
  strcpy(address.sun_path, path);
  unlink(path);
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
    perror(path);
    exit(1);
  }
  start(descriptor, path);
}
