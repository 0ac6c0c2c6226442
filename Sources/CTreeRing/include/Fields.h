// Addresses of array fields, which Swift imports as tuples, and counters that a signal handler may touch.
#pragma once
#include "CallSite.h"

#pragma clang assume_nonnull begin

static inline uint64_t *tr_ring_dropped(TRRing *ring) { return ring->dropped; }
static inline uint64_t *tr_ring_told(TRRing *ring) { return ring->told; }
static inline uint64_t *tr_ring_pending_told(TRRing *ring) { return ring->pending_told; }
static inline TRSinkState *tr_ring_sinks(TRRing *ring) { return ring->sinks; }
static inline TRSinkState *tr_ring_pending_sinks(TRRing *ring) { return ring->pending_sinks; }
static inline uint64_t *tr_header_sink_keys(TRProcessHeader *header) { return header->sink_keys; }
static inline uint64_t *tr_header_lost_reached(TRProcessHeader *header) { return header->lost_reached; }
static inline uint64_t *tr_header_pending_lost_reached(TRProcessHeader *header) { return header->pending_lost_reached; }
static inline uint64_t *tr_header_lost(TRProcessHeader *header) { return header->lost; }
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
static inline bool tr_site_detail_is_key(TRSiteDetails *details, uint32_t piece) { return details->keys >> piece & 1; }
static inline uint32_t *tr_site_count(void) { return &tr_sites_used; }
static inline TRSite *tr_site_table(void) { return tr_sites; }
static inline uint64_t *tr_site_slot_table(TRSite *site) { return site->slots; }
static inline TRSiteDetails *tr_site_details_table(void) { return tr_site_details; }
static inline uint16_t *tr_site_detail_counts(TRSiteDetails *details) { return details->counts; }
static inline uint32_t *tr_site_spots(void) { return tr_site_index; }
static inline TRRing *_Nullable *_Nonnull tr_producer_rings(TRProducer *producer) { return producer->rings; }
static inline uint64_t *tr_producer_vacant(TRProducer *producer) { return producer->vacant; }
static inline TRGate *tr_logger_gate_table(void) { return tr_logger_gates; }
static inline TRGate *tr_channel_gate_table(void) { return tr_channel_gates; }
static inline void tr_set_clock_kind(uint32_t kind) { tr_process.clock_kind = kind; }
static inline uint32_t tr_get_clock_kind(void) { return tr_process.clock_kind; }
static inline uint32_t *tr_ring_attention(TRRing *ring) { return &ring->attention; }
static inline uint32_t *tr_header_sites_end(TRProcessHeader *header) { return &header->sites_end; }
static inline uint32_t *tr_header_sites_allocated(TRProcessHeader *header) { return &header->sites_allocated; }
static inline uint32_t *tr_header_bell(TRProcessHeader *header) { return &header->bell; }
static inline uint32_t *tr_header_bell_is_rung(TRProcessHeader *header) { return &header->bell_is_rung; }
static inline uint32_t *tr_header_sealed(TRProcessHeader *header) { return &header->sealed; }

#pragma clang assume_nonnull end
