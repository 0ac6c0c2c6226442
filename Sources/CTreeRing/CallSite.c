#include "CallSite.h"

TRGate tr_logger_gates[TR_GATE_COUNT];
TRGate tr_channel_gates[TR_GATE_COUNT];
TRSite tr_sites[TR_MAX_SITES] __attribute__((aligned(256)));
TRSiteDetails tr_site_details[TR_MAX_SITES];
uint32_t tr_sites_used = TR_SITE_FIRST;
uint16_t tr_site_index[TR_SITE_SPOTS];
const uint8_t tr_element_name = 0;
_Thread_local TRThread tr_thread_state;
uint32_t tr_clock_kind = TR_CLOCK_MONOTONIC;

static TRProducer *producer;
TRProducer *tr_producer(void) { return __atomic_load_n(&producer, __ATOMIC_ACQUIRE); }
void tr_set_producer(TRProducer *next) { __atomic_store_n(&producer, next, __ATOMIC_RELEASE); }

static uint32_t doorbell;
uint32_t *tr_doorbell(void) { return &doorbell; }
