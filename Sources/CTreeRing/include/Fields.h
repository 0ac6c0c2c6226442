// Addresses of array fields, which Swift imports as tuples, and counters that a signal handler may touch.
#pragma once
#include "CallSite.h"

#pragma clang assume_nonnull begin

static inline uint64_t *tr_ring_dropped(TRRing *ring) { return ring->dropped; }
static inline uint64_t *tr_ring_told(TRRing *ring) { return ring->told; }
static inline uint64_t *tr_ring_pending_told(TRRing *ring) { return ring->pending_told; }
static inline TRDropTimes *tr_ring_drop_times(TRRing *ring) { return ring->drop_times; }
static inline TRDropMark *tr_ring_drop_marks(TRRing *ring) { return ring->drop_marks; }
static inline TRSinkState *tr_ring_sinks(TRRing *ring) { return ring->sinks; }
static inline TRSinkState *tr_ring_pending_sinks(TRRing *ring) { return ring->pending_sinks; }
static inline uint64_t *tr_header_sink_keys(TRProcessHeader *header) { return header->sink_keys; }
static inline uint64_t *tr_header_lost_reached(TRProcessHeader *header) { return header->lost_reached; }
static inline uint64_t *tr_header_pending_lost_reached(TRProcessHeader *header) { return header->pending_lost_reached; }
static inline uint64_t *tr_header_lost(TRProcessHeader *header) { return header->lost; }
static inline uint64_t *tr_header_lost_told(TRProcessHeader *header) { return header->lost_told; }
static inline uint64_t *tr_header_pending_lost_told(TRProcessHeader *header) { return header->pending_lost_told; }
static inline TRDropTimes *tr_header_lost_times(TRProcessHeader *header) { return &header->lost_times; }
static inline TRDropMark *tr_header_lost_mark(TRProcessHeader *header) { return &header->lost_mark; }
static inline TRIntent *tr_header_intents(TRProcessHeader *header) { return header->intents; }
static inline uint8_t *tr_intent_head(TRIntent *intent) { return intent->head; }
static inline char *tr_intent_path(TRIntent *intent) { return intent->path; }
static inline char *tr_header_program(TRProcessHeader *header) { return header->program; }
static inline char *tr_header_sinks(TRProcessHeader *header) { return header->sinks; }
static inline char *tr_header_format(TRProcessHeader *header) { return header->format; }
static inline uint8_t *tr_header_stream_id(TRProcessHeader *header) { return header->stream_id; }
static inline uint8_t *tr_header_boot_id(TRProcessHeader *header) { return header->boot_id; }
static inline TRRing *_Nullable *_Nonnull tr_thread_rings(TRThread *thread) { return thread->rings; }
static inline uint8_t *_Nullable *_Nonnull tr_thread_saved_cursors(TRThread *thread) { return thread->saved_cursor; }
static inline uint8_t *_Nullable *_Nonnull tr_thread_saved_limits(TRThread *thread) { return thread->saved_limit; }
static inline const uint64_t *_Nullable *_Nonnull tr_thread_saved_slots(TRThread *thread) { return thread->saved_slots; }
static inline TRPiece *tr_thread_pieces(TRThread *thread) { return thread->pieces; }
static inline uint64_t *tr_site_id(TRSite *site) { return &site->id; }
static inline const uint8_t *_Nullable *_Nonnull tr_site_file(TRSite *site) { return &site->file; }
static inline bool tr_site_detail_is_key(TRSiteDetails *details, uint32_t piece) { return details->keys >> piece & 1; }
static inline uint64_t *tr_sites_known_count(void) { return &tr_sites_known; }
static inline uint32_t *tr_sites_in_order(void) { return tr_site_order; }
static inline TRSite *tr_site_table(void) { return tr_sites; }
static inline uint64_t *tr_site_slot_table(TRSite *site) { return site->slots; }
static inline TRSiteDetails *tr_site_details_table(void) { return tr_site_details; }
static inline uint16_t *tr_site_detail_counts(TRSiteDetails *details) { return details->counts; }
static inline uint32_t *tr_site_detail_is_taken(TRSiteDetails *details) { return &details->is_taken; }
static inline TRRing *_Nullable *_Nonnull tr_producer_rings(TRProducer *producer) { return producer->rings; }
static inline uint64_t *tr_producer_vacant(TRProducer *producer) { return producer->vacant; }
static inline TRGate *tr_logger_gate_table(void) { return tr_logger_gates; }
static inline TRGate *tr_channel_gate_table(void) { return tr_channel_gates; }
static inline uint32_t *tr_calls_of_process(void) { return &tr_calls; }
static inline uint32_t *tr_ring_calls(TRRing *ring) { return &ring->calls; }
static inline uint32_t tr_get_clock_kind(void) { return tr_how_calls_go() & TR_CALL_TAKES_TSC ? TR_CLOCK_TSC : TR_CLOCK_MONOTONIC; }
static inline uint32_t *tr_ring_attention(TRRing *ring) { return &ring->attention; }
static inline uint32_t *tr_header_sites_end(TRProcessHeader *header) { return &header->sites_end; }
static inline uint32_t *tr_header_sites_allocated(TRProcessHeader *header) { return &header->sites_allocated; }
static inline uint32_t *tr_header_bell(TRProcessHeader *header) { return &header->bell; }
static inline uint32_t *tr_header_bell_is_rung(TRProcessHeader *header) { return &header->bell_is_rung; }
static inline uint32_t *tr_header_sealed(TRProcessHeader *header) { return &header->sealed; }

// Counts a call that leaves no record in `cell`, one of the TR_LEVELS of `cells`. Several threads, and signal handlers among them, may do so at once: of such ones the time of
// any may stand for the first.
//
// The count and the consumer's mark are each written before the other one is read, so either the consumer finds this call counted when it looks again, or the call
// finds the mark, and begins a stretch.
static inline void tr_count_drop(uint64_t *cells, uint32_t cell, TRDropTimes *times, const TRDropMark *mark, uint64_t now) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < TR_LEVELS; i++) count += __atomic_load_n(&cells[i], __ATOMIC_RELAXED);
  uint64_t last = __atomic_load_n(&times->last, __ATOMIC_RELAXED);
  while (last < now && !__atomic_compare_exchange_n(&times->last, &last, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
  for (bool is_counted = false;; is_counted = true) {
    uint64_t seen = __atomic_load_n(&mark->seen, __ATOMIC_SEQ_CST);
    bool begins = __atomic_load_n(&times->begin, __ATOMIC_RELAXED) < seen || __atomic_load_n(&times->first, __ATOMIC_RELAXED) == 0;
    if (begins && count >= seen) {
      __atomic_store_n(&times->first, now, __ATOMIC_RELEASE);
      __atomic_store_n(&times->begin, count, __ATOMIC_RELEASE);
    }
    if (is_counted) return;
    __atomic_fetch_add(&cells[cell], 1, __ATOMIC_SEQ_CST);
  }
}
// Between the consumer's mark and its second look at the counts.
static inline void tr_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

#pragma clang assume_nonnull end
