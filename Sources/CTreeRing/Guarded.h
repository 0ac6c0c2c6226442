// What the watcher of crashes has to know of the guard that has SIGBUS already: it comes behind it.
#pragma once
#include <signal.h>
#include <stddef.h>

// The action that a SIGBUS outside of a guarded access is passed to; NULL when somebody has taken the signal from the guard. Installs the guard.
const struct sigaction *tr_guarded_action(void);
// Passes such signals to `action` from now on, which must stay as it is.
void tr_guard_pass_to(const struct sigaction *action);
