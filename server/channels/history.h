/* history.h - the messages that channels remember, for those who come back: for each channel the last ones, one
 * behind the other without a gap, and all of them together within a limit of memory.
 *
 * One mutex guards it all. When the memory is full the oldest message of all channels is forgotten; but if one
 * account has more than a quarter of the memory, the oldest of the largest account. So one client that publishes
 * much pushes out its own past, and never more than a quarter of the others'.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_HISTORY_H
#define WEIR_CHANNELS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool/mutex.h"
#include "server/core/message.h"

/* A place in the ring of all channels' entries, by age. */
struct history_link {
    struct history_link *older, *newer;
};

struct history_entry;

/* Whose memory it is: all channels that one client made, or one channel that no client made. All zero is an empty
 * one. The store's mutex guards it. */
struct history_account {
    struct history_entry *entries; /* the oldest first */
    size_t bytes;
    bool is_heavy; /* it has more than its share */
    struct history_account *next, *previous;
};

struct history_store {
    struct mutex mutex;      /* guards all below, the histories and the accounts */
    struct history_link all; /* its neighbours are the newest, as its older one, and the oldest */
    size_t bytes, limit;
    uint64_t messages;
    uint64_t evicted; /* ever, for want of memory */
    struct history_account *heavy;
};

/* One channel's; all zero is an empty one. */
struct history {
    struct history_account *account; /* NULL: its own. Set before the first message */
    struct history_account own;
    struct history_entry **ring;
    uint64_t appended_at;            /* the last message's pool_now(); 0: there was none. Its channel's mutex */
    uint32_t capacity, first, count; /* capacity is 0 or a power of two */
};

void history_store_init(struct history_store *store, size_t limit);
void history_store_release(struct history_store *store);

/* What is beyond a smaller limit is forgotten. */
void history_store_set_limit(struct history_store *store, size_t limit);

/* Of all channels together. */
struct history_figures {
    uint64_t messages;
    size_t bytes, limit; /* of memory */
    uint64_t evicted;    /* messages, ever, for want of it */
};
struct history_figures history_store_figures(struct history_store *store);

/* What is remembered of a channel. */
struct history_bounds {
    uint32_t count;
    uint64_t age_ms; /* 0: any */
    uint64_t now;    /* pool_now() */
};

/* Remembers a channel's next message, with a reference of its own, and forgets those beyond the bounds. If it does
 * not fit, the whole history is forgotten: it may have no gap. */
void history_append(struct history_store *store, struct history *history, struct message *message,
                    const struct history_bounds *bounds);

/* Forgets what is beyond the bounds. Returns how many are left. */
uint32_t history_trim(struct history_store *store, struct history *history, const struct history_bounds *bounds);

void history_clear(struct history_store *store, struct history *history);

/* Messages behind `since`, the oldest of them first, with a reference each. */
struct history_slice {
    struct message **messages; /* in the heap, or NULL */
    uint32_t count;
    size_t bytes;  /* of their frames */
    bool complete; /* none is missing between `since` and the first */
    bool more;     /* they are not all */
};

/* `limit` of them at most, and `max_bytes` unless it is one alone. `offset` is the channel's. Returns -1 if memory
 * is out. */
int history_read(struct history_store *store, const struct history *history, uint64_t since, uint64_t offset,
                 uint32_t limit, size_t max_bytes, struct history_slice *slice);

/* The newest instead, in their order: `limit` of them at most, and no more than come to `max_bytes` if each takes
 * `overhead` beside its bytes. `complete` and `more` say nothing then. */
int history_read_last(struct history_store *store, const struct history *history, uint32_t limit, size_t max_bytes,
                      size_t overhead, struct history_slice *slice);
void history_slice_release(struct history_slice *slice);

uint32_t history_count(struct history_store *store, const struct history *history);

#endif
