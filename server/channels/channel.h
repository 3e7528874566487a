/* channel.h - what a channel is, for the files of this folder.
 *
 * A caller that finds a channel holds a reference to it; the table and each subscription hold one too. A channel
 * that has left the table is `gone`: a caller that finds this under the channel's mutex looks the name up again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNEL_H
#define WEIR_CHANNELS_CHANNEL_H

#include <stdatomic.h>
#define HASH_NONFATAL_OOM 1 /* without memory, uthash leaves `hh.tbl` NULL and goes on */
#include <uthash.h>

#include "base/mutex.h"
#include "server/channels/channels.h"
#include "server/channels/history.h"
#include "server/channels/members.h"
#include "server/core/conn.h"
#include "server/core/encodings.h"

/* One connection's subscription to one channel. Immutable except for the links, which the connection's mutex
 * guards. Once the connection has left everything (conn->left), only the thread that took its list reads them. */
struct subscription {
    struct channel *channel; /* with a reference */
    struct weir_conn *conn;
    enum channel_form form;
    double joined_at;                     /* seconds since 1970 */
    struct subscription *next, *previous; /* in the connection's list */
};

#define RATE_WINDOW_MS UINT64_C(10000)

/* How fast messages come, counted in windows of time. */
struct channel_rate {
    uint64_t began; /* start of the current window, pool_now() */
    uint32_t now, before;
};

/* Messages on their way to the subscribers: see row.h. The channel's mutex guards it. */
struct row {
    struct delivery *first, *last;
    uint32_t count;
    uint32_t fanning_out;  /* deliveries, from the first on, of the fan-out under way; 0: there is none */
    uint32_t cursor;       /* the fan-out has reached the members before this index */
    uint32_t sent_away;    /* the channel has been closed: members before this index are still to be sent away */
    size_t bytes;          /* of the plain messages */
    uint64_t last_number;  /* of a delivery; the first is 1 */
    struct paused *paused; /* clients that are not read until the row is shorter */
};

struct channel {
    struct channels *channels;
    struct creator *creator; /* the client that made it; NULL: no client did */
    _Atomic uint32_t references;

    /* The table's mutex guards these. */
    UT_hash_handle hh;
    uint64_t key;
    bool is_idle; /* in the list of channels without subscribers (idle.h) */
    struct channel *idle_next, *idle_previous, *own_next, *own_previous;

    struct receivers receivers[CHANNEL_FORMS]; /* subscribers by form; changed under `mutex` */

    struct task fanout; /* hands out the row */

    struct mutex mutex; /* guards all that follows */
    bool gone;
    struct channel_options options;
    uint64_t offset;
    uint64_t used_at; /* when a client last joined or left, pool_now(); 0: no client has been told its position */
    struct members members;
    struct row row;
    struct channel_rate rate;
    bool remembers;         /* the history may hold messages */
    struct history history; /* the history store's mutex guards it, except `appended_at` */

    char epoch[20]; /* immutable, as is the name */
    char name[];
};

/* Whether any subscriber takes messages in this form. Certain only under the mutex. */
static inline bool channel_wants(const struct channel *channel, enum channel_form form) {
    return !receivers_is_empty(&channel->receivers[form]);
}

static inline struct channel *channel_retain(struct channel *channel) {
    atomic_fetch_add_explicit(&channel->references, 1, memory_order_relaxed);
    return channel;
}

/* --- Life (channel.c) -------------------------------------------------------------------------------------- */

/* Makes a channel with one reference, and takes over the creator, who may be NULL. The table's mutex is held.
 * Returns NULL if memory is out. */
struct channel *channel_create_locked(struct channels *channels, const char *name, struct creator *creator);

/* Frees a channel that nothing refers to and nothing was added to. Leaves the creator to the caller. */
void channel_free(struct channel *channel);

void channel_release(struct channel *channel); /* NULL is allowed */

struct history_bounds channel_bounds_locked(const struct channel *channel);

/* Forgets messages that are too old. Returns whether anything is left that a client may ask for. */
bool channel_has_past_locked(struct channel *channel);

#endif
