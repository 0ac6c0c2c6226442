#include "Restraint.h"

TRRestraint tr_restraints[TR_RESTRAINT_COUNT] __attribute__((aligned(64)));
