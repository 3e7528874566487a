/* history.h - the messages that channels remember for clients that come back. Each channel keeps its last ones,
 * without a gap; all channels together stay within a limit of memory.
 *
 * One mutex guards everything. When memory is full, the oldest message of all channels is forgotten. But if an
 * account has more than a quarter of the memory, the oldest message of the largest account is forgotten instead.
 * So a client that publishes much displaces its own past, and never more than a quarter of the others'.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNEL_LIMITS_HISTORY_H
#define WEIR_CHANNEL_LIMITS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mutex.h"
#include "server/core/message.h"

/* A node in the ring of all channels' entries, which is ordered by age. */
struct history_link {
    struct history_link *older, *newer;
};

struct history_entry;

/* Whose memory it is: all channels that one client made, or one channel that no client made. All zero is an empty
 * account. The store's mutex guards it. */
struct history_account {
    struct history_entry *entries; /* the oldest first */
    size_t bytes;
    bool is_heavy; /* it has more than its share, and is in the store's list */
    struct history_account *next, *previous;
};

struct history_store {
    struct mutex mutex;      /* guards all that follows, the histories and the accounts */
    struct history_link all; /* the ring's head: its `older` is the newest entry, its `newer` the oldest */
    size_t bytes, limit;
    uint64_t messages;
    uint64_t evicted; /* in all, because memory was full */
    struct history_account *heavy;
};

/* One channel's history. All zero is an empty one. The store's mutex guards it, unless a field says otherwise. */
struct history {
    struct history_account *account; /* NULL: `own`. Set before the first message */
    struct history_account own;
    struct history_entry **ring;
    uint64_t appended_at; /* pool_now() of the last message; 0: there was none. The channel's mutex guards it */
    uint32_t capacity, first, count; /* capacity is 0 or a power of two */
};

void history_store_init(struct history_store *store, size_t limit);
void history_store_release(struct history_store *store);

/* Sets the limit, and forgets what exceeds a smaller one. */
void history_store_set_limit(struct history_store *store, size_t limit);

/* Figures of all channels together. */
struct history_statistics {
    uint64_t messages;
    size_t bytes, limit; /* of memory */
    uint64_t evicted;    /* messages forgotten in all, because memory was full */
};
struct history_statistics history_store_statistics(struct history_store *store);

/* How much of a channel is remembered. */
struct history_bounds {
    uint32_t count;
    uint64_t age_ms; /* 0: no limit */
    uint64_t now;    /* pool_now() */
};

/* Remembers a channel's next message, with a reference of its own, and forgets messages beyond the bounds. If the
 * message does not fit or memory is out, forgets the whole history, which may have no gap. */
void history_append(struct history_store *store, struct history *history, struct message *message,
                    const struct history_bounds *bounds);

/* Forgets what is beyond the bounds. Returns how many are left. */
uint32_t history_trim(struct history_store *store, struct history *history, const struct history_bounds *bounds);

void history_clear(struct history_store *store, struct history *history);

/* Messages after `since`, the oldest first, with a reference each. */
struct history_slice {
    struct message **messages; /* in the heap, or NULL */
    uint32_t count;
    size_t bytes;  /* of their frames */
    bool complete; /* none is missing between `since` and the first */
    bool more;     /* there are more messages than these */
};

/* Reads `limit` messages at most, and `max_bytes` at most unless it is one alone. `offset` is the channel's.
 * Returns -1 if memory is out. */
int history_read(struct history_store *store, const struct history *history, uint64_t since, uint64_t offset,
                 uint32_t limit, size_t max_bytes, struct history_slice *slice);

/* Reads the newest messages, the oldest of them first: `limit` at most, and no more than fit in `max_bytes` if
 * each takes `overhead` bytes more than its frame. `complete` and `more` mean nothing here. Returns -1 if memory
 * is out. */
int history_read_last(struct history_store *store, const struct history *history, uint32_t limit, size_t max_bytes,
                      size_t overhead, struct history_slice *slice);
void history_slice_release(struct history_slice *slice);

uint32_t history_count(struct history_store *store, const struct history *history);

#endif
