/* core.h - what all connections of a run share, and the routes that they belong to. Set up before the first
 * connection; later only those fields change whose comments say so.
 *
 * Lock order: a thread that holds one of these locks may take only those below it.
 *
 *     admin       the token, the result of a reload, idempotency keys; no other lock is taken under it
 *     routing     which routes there are now; no other lock is taken under it
 *     channels, channel, history: see channels/channels.h
 *     registry    the connections; no system call and no callback under it
 *     address     the connections of each address; no other lock is taken under it
 *     connection  one connection's outbox, inbox and state
 *     user timers the timers of handlers and programs
 *     pool        the run queues (POOL_LOCK_RANK)
 *     log         the lines that wait to be written (LOG_LOCK_RANK)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/server.h>

#include "base/mutex.h"
#include "pool/pool.h"
#include "server/core/address_limiter.h"
#include "server/core/counters.h"
#include "server/core/encodings.h"
#include "server/core/memory_limit.h"
#include "server/core/registry.h"
#include "server/core/settings.h"

enum lock_rank {
    ADMIN_LOCK_RANK = 4,
    ROUTING_LOCK_RANK = 5,
    CHANNELS_LOCK_RANK = 7,
    CHANNEL_LOCK_RANK = 8,
    HISTORY_LOCK_RANK = 9,
    REGISTRY_LOCK_RANK = 10,
    ADDRESS_LIMITER_LOCK_RANK = 15,
    CONN_LOCK_RANK = 20,
    USER_TIMER_LOCK_RANK = 25
};
_Static_assert((int)USER_TIMER_LOCK_RANK < (int)POOL_LOCK_RANK, "the pool's mutex and the log's are the last");

/* The timers of weir_timer_start() that a call may follow. For user_timer.c. */
struct user_timers {
    struct mutex mutex; /* guards both fields below, and every timer */
    struct weir_timer *first;
    bool ended; /* the pool has stopped: no timer can be started */
};

struct core {
    struct pool *pool;
    weir_server *server; /* for weir_conn_server() */
    struct registry registry;
    struct address_limiter address_limiter;
    struct counters counters;
    struct memory_limit memory_limit;
    struct user_timers timers;
    const struct settings *_Atomic settings; /* see core_settings() */

    /* The layer above, which knows the subscriptions. on_drained is called before a drained connection is closed,
     * so that the client still gets what it has published. on_end is called at every connection's end, before its
     * close callback. All three may be NULL. */
    struct channels *channels;
    void (*on_drained)(struct weir_conn *conn);
    void (*on_end)(struct weir_conn *conn);

    /* One reference for the server that runs on the core, one for each route and each timer. So the core outlives
     * the run, and even the server, as long as there is a handle. */
    _Atomic unsigned references;
    void (*destroy)(struct core *core); /* called when the last reference is released; NULL: nothing to do */
};

static inline void core_retain(struct core *core) {
    atomic_fetch_add_explicit(&core->references, 1, memory_order_relaxed);
}

static inline void core_release(struct core *core) {
    if (atomic_fetch_sub_explicit(&core->references, 1, memory_order_acq_rel) == 1 && core->destroy != NULL)
        core->destroy(core);
}

enum slow_consumer_policy { SLOW_CONSUMER_DISCONNECT, SLOW_CONSUMER_DROP_OLDEST, SLOW_CONSUMER_DROP_NEWEST };

/* What the connections of one pattern share. How a client gets in is decided by the entry (http/route_entry.h). */
struct route {
    const char *pattern;
    const struct weir_handler *handler;
    const char *handler_name; /* as configured; NULL: one that the program registered itself */
    void *context;
    struct core *core;
    _Atomic enum slow_consumer_policy slow_consumer;
    struct receivers receivers;           /* its connections */
    struct concurrency_limit concurrency; /* the limit on concurrent handlers; guarded by the pool's mutex */
    struct weir_conn *first;              /* the list of its connections; guarded by the registry's mutex */
    struct traffic traffic;
    struct atomic_histogram handling; /* microseconds of each callback that may block */
    _Atomic unsigned open;            /* number of connections */

    /* One reference for the server, one for each table that names the route, one for each connection. */
    _Atomic unsigned references;
    void (*destroy)(struct route *route); /* called when the last reference is released; NULL: nothing to do */
};

static inline void route_retain(struct route *route) {
    atomic_fetch_add_explicit(&route->references, 1, memory_order_relaxed);
}

static inline void route_release(struct route *route) {
    if (atomic_fetch_sub_explicit(&route->references, 1, memory_order_acq_rel) == 1 && route->destroy != NULL)
        route->destroy(route);
}

/* The settings now in force. */
static inline const struct settings *core_settings(const struct core *core) {
    return atomic_load_explicit(&core->settings, memory_order_acquire);
}

static inline bool route_never_blocks(const struct route *route) {
    return (route->handler->flags & WEIR_NEVER_BLOCKS) != 0;
}

#endif
