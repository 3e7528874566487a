/* channel.h - what a channel is, for the files of this folder.
 *
 * Whoever has found a channel holds a reference; so do the table and each subscription. A channel that has left the
 * table is `gone`, and whoever finds that under its mutex looks its name up again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNEL_H
#define WEIR_CHANNELS_CHANNEL_H

#include <stdatomic.h>
#define HASH_NONFATAL_OOM 1 /* who is added without memory has no `hh.tbl` then */
#include <uthash.h>

#include "pool/mutex.h"
#include "server/channels/channels.h"
#include "server/channels/history.h"
#include "server/channels/members.h"
#include "server/core/conn.h"
#include "server/core/parcel.h"

/* One connection in one channel. Immutable but for the links: those are guarded by the channel's mutex and the
 * connection's, both, and by neither once the connection has left everything. */
struct subscription {
    struct channel *channel; /* with a reference */
    struct weir_conn *conn;
    enum channel_form form;
    double joined_at;                     /* seconds since 1970 */
    struct subscription *next, *previous; /* of the connection */
};

#define RATE_WINDOW_MS UINT64_C(10000)

/* How fast messages come, counted in windows of time. */
struct channel_rate {
    uint64_t began; /* the window, pool_now() */
    uint32_t now, before;
};

/* What is on its way to the subscribers: see row.h. */
struct row {
    struct delivery *first, *last;
    uint32_t count;
    uint32_t walking;      /* so many, from the first on, are being handed out; 0: no walk is under way */
    uint32_t cursor;       /* members before it have been met by the walk */
    uint32_t sent_away;    /* members before it are still to be sent away: the channel has been closed */
    size_t bytes;          /* of plain messages */
    uint64_t last_place;   /* given so far; the first is 1 */
    struct slowed *slowed; /* clients that are not read until there is less */
};

struct channel {
    struct channels *channels;
    struct creator *creator; /* who made it; NULL: no client did */
    _Atomic uint32_t references;

    /* The table's mutex. */
    UT_hash_handle hh;
    uint64_t key;
    bool is_idle; /* listed, for it has no subscribers (idle.h) */
    struct channel *idle_next, *idle_previous, *own_next, *own_previous;

    struct audience audience[CHANNEL_FORMS]; /* the subscribers by form; changed under the mutex */

    struct task handing_out; /* the row */

    struct mutex mutex; /* guards all below */
    bool gone;
    struct channel_options options;
    uint64_t offset;
    uint64_t used_at; /* when the last one joined or left, pool_now(); 0: nobody has been told its position */
    struct members members;
    struct row row;
    struct channel_rate rate;
    bool remembers;         /* there may be something in the history */
    struct history history; /* the history's mutex besides */

    char epoch[20]; /* immutable, likewise the name */
    char name[];
};

/* Whether somebody gets its messages in this form; sure under the mutex alone. */
static inline bool channel_wants(const struct channel *channel, enum channel_form form) {
    return !audience_is_empty(&channel->audience[form]);
}

static inline struct channel *channel_retain(struct channel *channel) {
    atomic_fetch_add_explicit(&channel->references, 1, memory_order_relaxed);
    return channel;
}

/* --- channels.c --- */

/* The channel of this name, with a reference; NULL if there is none. */
struct channel *channels_find(struct channels *channels, const char *name);

/* The same; an idle channel is then the last to go. */
struct channel *channels_use(struct channels *channels, const char *name);

/* Clients choose names: without the secret they could choose many that stand in one place of a table. */
unsigned channels_hash(const struct channels *channels, const char *name, size_t size);

struct opening {
    const char *name;
    struct weir_conn *client; /* for whom it is made; NULL: for no client */
    bool joins;               /* it is to get a subscriber; if that fails, channel_reap() has to follow */

    bool full;               /* what came of it: there are too many channels */
    uint32_t per_connection; /* the limit in force */
};

/* The channel of this name, made if there is none, with a reference. NULL if there are too many, or memory is out.
 */
struct channel *channels_open(struct channels *channels, struct opening *opening);

/* Up to `count` channels from `*position` on, which is 0 at first, with a reference each. Returns how many: less
 * than `count` only at the end. */
enum { CHANNELS_AT_ONCE = 200 };
uint32_t channels_some(struct channels *channels, uint32_t *position, struct channel **some, uint32_t count);

void channel_release(struct channel *channel);

/* With no subscriber left: takes it from the table if it has no past either, else lists it as idle. */
void channel_reap(struct channel *channel);

/* Forgets messages that are too old, and the channel if nothing is left of it. The table is not held meanwhile: a
 * channel may take its time that has many subscribers. */
void channel_forget_old(struct channel *channel);

/* Takes it from the table, whose reference is the caller's to give up. Both mutexes are held. */
void channel_take_out_locked(struct channel *channel);

struct history_bounds channel_bounds_locked(const struct channel *channel);

/* --- publish.c --- */

/* Tells the subscribers of weir.v1 who comes or has gone. */
void channel_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                             struct task_list *ready);

/* --- sweep.c --- */

extern const struct task_kind channels_sweep_kind;

#endif
