#include "CTreeRing.h"
