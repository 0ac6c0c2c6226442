#include "CallSite.h"

TRGate tr_logger_gates[TR_GATE_COUNT];
TRGate tr_channel_gates[TR_GATE_COUNT];
_Thread_local TRThread tr_thread_state;
uint32_t tr_clock_kind = TR_CLOCK_MONOTONIC;

static TRProducer producer = {.fd = -1};
TRProducer *tr_producer(void) { return &producer; }
