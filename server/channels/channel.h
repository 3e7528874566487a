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
#include "server/core/parcel.h"

/* One connection's subscription to one channel. Immutable except for the links, which the connection's latch
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
    uint64_t last_place;   /* last number given; the first is 1 */
    struct slowed *slowed; /* clients that are not read until the row is shorter */
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

    struct audience audience[CHANNEL_FORMS]; /* subscribers by form; changed under `mutex` */

    struct task handing_out; /* hands out the row */

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
    return !audience_is_empty(&channel->audience[form]);
}

static inline struct channel *channel_retain(struct channel *channel) {
    atomic_fetch_add_explicit(&channel->references, 1, memory_order_relaxed);
    return channel;
}

/* --- channels.c --- */

/* The channel of this name, with a reference; NULL if there is none. */
struct channel *channels_find(struct channels *channels, const char *name);

/* Like channels_find(), and makes an idle channel the last one to be evicted. */
struct channel *channels_use(struct channels *channels, const char *name);

/* Hashes a name together with a secret. Clients choose names, and without the secret they could choose many that
 * collide. */
unsigned channels_hash(const struct channels *channels, const char *name, size_t size);

struct opening {
    const char *name;
    struct weir_conn *client; /* the client that it is made for; NULL: none */
    bool joins;               /* the caller will add a subscriber; if that fails, it must call channel_reap() */

    bool full;               /* result: there are too many channels */
    uint32_t per_connection; /* result: the limit in force */
};

/* Finds the channel of this name, or makes it. Returns it with a reference, or NULL if there are too many channels
 * or memory is out. */
struct channel *channels_open(struct channels *channels, struct opening *opening);

/* Gets up to `count` channels, each with a reference, from `*position` on, and moves `*position`. It is 0 at
 * first. Returns how many; fewer than `count` only at the end. */
enum { CHANNELS_AT_ONCE = 200 };
uint32_t channels_some(struct channels *channels, uint32_t *position, struct channel **some, uint32_t count);

void channel_release(struct channel *channel);

/* If the channel has no subscriber: removes it from the table if it has no past either, otherwise lists it as
 * idle. */
void channel_reap(struct channel *channel);

/* Forgets messages that are too old, and the channel if it has no subscriber and nothing of it is left. Waits for
 * the channel without holding the table's mutex, since a channel with many subscribers may be busy for a while. */
void channel_forget_old(struct channel *channel);

/* Removes the channel from the table; the caller then owns the table's reference. Call it with the table's and the
 * channel's mutex held. */
void channel_take_out_locked(struct channel *channel);

struct history_bounds channel_bounds_locked(const struct channel *channel);

/* --- publish.c --- */

/* Tells the subscribers of weir.v1 that a client joins or has left; `type` is "join" or "leave". */
void channel_announce_locked(struct channel *channel, const char *type, const struct subscription *who,
                             struct task_list *ready);

/* --- expiry.c --- */

extern const struct task_kind expiry_task_kind;

#endif
