// Writing a crash down, by nothing but what a signal handler may do.
//
// Order: registers first, which cannot fail; then the map of the process, by open and read; then the frames, by the unwinder, which reads the stack of a
// process that is broken and may fault itself. A fault in here finds the slot claimed and goes straight on to what comes after.
//
// Nothing here allocates or takes a lock, on the premise that the unwinder does neither once it has run: it finds its tables by _dl_find_object, which
// glibc has had without a lock since 2.35, and it runs once when the handler is installed, so that nothing is left to be loaded or bound.
#define _GNU_SOURCE
#include "BlackBox.h"
#include "Guarded.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static const int watched[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
enum { watched_count = sizeof watched / sizeof *watched };
static struct sigaction previous[watched_count];
static TRBlackBox *crash_box;
static bool is_watching;

typedef struct {
  uint64_t pc, sp, fp;
} Registers;

static Registers registers_of(const ucontext_t *context) {
#if defined(__x86_64__)
  const greg_t *r = context->uc_mcontext.gregs;
  return (Registers){(uint64_t)r[REG_RIP], (uint64_t)r[REG_RSP], (uint64_t)r[REG_RBP]};
#elif defined(__aarch64__)
  return (Registers){context->uc_mcontext.pc, context->uc_mcontext.sp, context->uc_mcontext.regs[29]};
#else
  return (Registers){0, 0, 0};
#endif
}

// MARK: frames

// Eight bytes of a process that is broken, through a pipe: the kernel answers with an error where reading them here would be a fault.
static bool read_word(const int pipe[2], uint64_t address, uint64_t *word) {
  return address % 8 == 0 && write(pipe[1], (const void *)address, 8) == 8 && read(pipe[0], word, 8) == 8;
}

// By the chain of frame pointers, where the code keeps one.
static void walk_frame_pointers(TRBlackBox *box, Registers at, const int pipe[2]) {
  uint64_t frame = at.fp, lowest = at.sp, next, caller;
  while (box->frame_count < TR_BOX_FRAMES && frame >= lowest && frame - lowest < (64u << 20)) {
    if (!read_word(pipe, frame, &next) || !read_word(pipe, frame + 8, &caller) || caller < 4096) return;
    box->frames[box->frame_count++] = caller;
    lowest = frame + 16;
    frame = next;
  }
}

typedef struct {
  TRBlackBox *box;
  uint64_t pc;
  bool is_behind;  // the frame of the crash has been passed; those before it are the handler's
} Walk;

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument) {
  Walk *walk = argument;
  uint64_t pc = _Unwind_GetIP(context);
  if (!walk->is_behind) {
    walk->is_behind = pc == walk->pc;
    return _URC_NO_REASON;
  }
  if (pc == 0 || walk->box->frame_count == TR_BOX_FRAMES) return _URC_END_OF_STACK;
  walk->box->frames[walk->box->frame_count++] = pc;
  return _URC_NO_REASON;
}

// A call of an address where nothing is: what it left on the stack is where it would have returned to.
static void walk_from_caller(TRBlackBox *box, Registers at, const int pipe[2]) {
#if defined(__x86_64__)
  uint64_t caller;
  if (read_word(pipe, at.sp, &caller)) box->frames[box->frame_count++] = caller;
#endif
  walk_frame_pointers(box, at, pipe);
}

// By the unwinder's tables: optimised code keeps no frame pointers. It reads the instructions at an address it has no table for, so there must be some.
static void write_frames(TRBlackBox *box, Registers at) {
  box->frames[0] = at.pc;
  box->frame_count = 1;
  int pipe[2];
  uint64_t word;
  bool has_pipe = pipe2(pipe, O_CLOEXEC | O_NONBLOCK) == 0;
  if (has_pipe && !read_word(pipe, at.pc & ~7ull, &word)) {
    walk_from_caller(box, at, pipe);
  } else {
    Walk walk = {box, at.pc, false};
    _Unwind_Backtrace(step, &walk);
    if (has_pipe && box->frame_count == 1) walk_frame_pointers(box, at, pipe);
  }
  if (!has_pipe) return;
  close(pipe[0]);
  close(pipe[1]);
}

// MARK: the slot

typedef struct {
  char text[512];
  size_t size;
} Line;

// `7f00-7f10 r-xp …`: what can be executed is where frames are; the rest, rings above all, would leave no room for it.
static bool is_executable(const Line *line) {
  const char *space = memchr(line->text, ' ', line->size);
  return space != NULL && line->size - (size_t)(space - line->text) > 4 && space[3] == 'x';
}

static void take(TRBlackBox *box, Line *line, char character) {
  if (line->size < sizeof line->text) line->text[line->size++] = character;
  if (character != '\n') return;
  line->text[line->size - 1] = '\n';
  if (is_executable(line) && line->size <= TR_BOX_MAPS_SIZE - box->maps_size) {
    memcpy((char *)box + TR_BOX_MAPS + box->maps_size, line->text, line->size);
    box->maps_size += (uint32_t)line->size;
  }
  line->size = 0;
}

static void write_maps(TRBlackBox *box) {
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  char chunk[1024];
  Line line;
  line.size = 0;
  ssize_t count;
  while ((count = read(file, chunk, sizeof chunk)) > 0)
    for (ssize_t at = 0; at < count; at++) take(box, &line, chunk[at]);
  close(file);
}

// The first crash of the process is the one that is told.
static void write_down(TRBlackBox *box, int number, const siginfo_t *info, const ucontext_t *context) {
  uint32_t none = 0;
  if (box->pid != (uint32_t)getpid()) return;  // a child of a fork: the box is its parent's
  if (!__atomic_compare_exchange_n(&box->state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
  box->thread = (uint32_t)syscall(SYS_gettid);
  Registers at = registers_of(context);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  box->time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  box->signal_number = number;
  box->signal_code = info->si_code;
  box->fault_address = info->si_code > 0 ? (uint64_t)info->si_addr : 0;
  box->pc = at.pc;
  prctl(PR_GET_NAME, box->thread_name, 0, 0, 0);
  __atomic_store_n(&box->state, 2, __ATOMIC_RELEASE);
  write_maps(box);
  write_frames(box, at);
  __atomic_store_n(&box->state, 3, __ATOMIC_RELEASE);
}

// MARK: the handler

static void die_by_default(int number) {
  struct sigaction action = {0};
  action.sa_handler = SIG_DFL;
  sigaction(number, &action, NULL);
}

// Claimed by this very thread: the fault is in here, or in the handler that is called below.
static bool writes_already(const TRBlackBox *box) {
  return box->pid == (uint32_t)getpid() && box->state != 0 && box->thread == (uint32_t)syscall(SYS_gettid);
}

static void crashed(int number, siginfo_t *info, void *context) {
  int index = 0;
  while (index < watched_count - 1 && watched[index] != number) index++;
  TRBlackBox *box = crash_box;
  bool is_second = box != NULL && writes_already(box);
  if (box != NULL && !is_second) write_down(box, number, info, context);
  struct sigaction before = previous[index];
  if (!is_second && (before.sa_flags & SA_SIGINFO)) before.sa_sigaction(number, info, context);
  // Returning repeats a fault, now with the default action. A signal that was sent does not repeat itself.
  die_by_default(number);
  if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

// MARK: installing

static bool is_of_runtime(const struct sigaction *action, bool may_be_linked_in) {
  Dl_info place;
  if (!(action->sa_flags & SA_SIGINFO) || dladdr((void *)action->sa_sigaction, &place) == 0) return false;
  if (place.dli_fname != NULL && strstr(place.dli_fname, "libswiftCore") != NULL) return true;
  // The runtime watches SIGQUIT as well, by the same function; programs do not do that to themselves.
  struct sigaction quit;
  return may_be_linked_in && sigaction(SIGQUIT, NULL, &quit) == 0 && quit.sa_sigaction == action->sa_sigaction;
}

static _Unwind_Reason_Code end_at_once(struct _Unwind_Context *context, void *argument) {
  (void)context, (void)argument;
  return _URC_END_OF_STACK;
}

int tr_watch_crashes(TRBlackBox *box, bool is_runtime) {
  int installed = 0;
  crash_box = box;
  is_watching = true;
  _Unwind_Backtrace(end_at_once, NULL);
  tr_prepare_thread_for_crash();
  for (int index = 0; index < watched_count; index++) {
    struct sigaction now, action = {0};
    if (sigaction(watched[index], NULL, &now) != 0) continue;
    const struct sigaction *guarded = watched[index] == SIGBUS ? tr_guarded_action() : NULL;
    if (guarded != NULL) now = *guarded;
    if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == crashed) {
      installed++;
      continue;
    }
    bool is_default = !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
    if (!is_default && !is_of_runtime(&now, is_runtime)) continue;
    previous[index] = now;
    action.sa_sigaction = crashed;
    // A fault of the handler itself must come through: it ends the process by the right signal.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    if (guarded != NULL) {
      static struct sigaction behind_guard;
      behind_guard = action;
      tr_guard_pass_to(&behind_guard);
      installed++;
    } else if (sigaction(watched[index], &action, NULL) == 0) {
      installed++;
    }
  }
  return installed;
}

bool tr_watches_crashes(void) { return is_watching; }
void tr_forget_crashes(const TRBlackBox *box) {
  if (box != NULL && box != crash_box) return;
  is_watching = false;
  crash_box = NULL;
}

// MARK: a stack for the handler

#define STACK_SIZE 65536u

static pthread_key_t stack_key;
static pthread_once_t stack_key_once = PTHREAD_ONCE_INIT;

static void free_stack(void *memory) {
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(memory, STACK_SIZE);
}
static void make_stack_key(void) { pthread_key_create(&stack_key, free_stack); }

void tr_prepare_thread_for_crash(void) {
  stack_t now;
  // One that is in use cannot be exchanged; the runtime's own may be too small for both handlers.
  if (sigaltstack(NULL, &now) != 0 || now.ss_flags & SS_ONSTACK) return;
  if (!(now.ss_flags & SS_DISABLE) && now.ss_size >= STACK_SIZE) return;
  void *memory = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {.ss_sp = memory, .ss_size = STACK_SIZE};
  if (sigaltstack(&stack, NULL) != 0) {
    munmap(memory, STACK_SIZE);
    return;
  }
  pthread_once(&stack_key_once, make_stack_key);
  pthread_setspecific(stack_key, memory);
}
