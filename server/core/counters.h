/* counters.h - what a server has counted since it began to run. Any thread adds, without locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_COUNTERS_H
#define WEIR_CORE_COUNTERS_H

#include "base/atomic_histogram.h"
#include "base/thread_counter.h"

/* Why a client did not become a connection. */
enum refusal {
    REFUSED_HANDSHAKE, /* not a handshake, or an invalid one */
    REFUSED_ROUTE,     /* 404 */
    REFUSED_ORIGIN,
    REFUSED_SUBPROTOCOL,
    REFUSED_HANDLER,     /* the upgrade callback refused */
    REFUSED_CONNECTIONS, /* max_connections */
    REFUSED_ADDRESS,     /* max_connections_per_ip */
    REFUSED_RATE,        /* handshake_rate_per_ip */
    REFUSED_STOPPING,
    REFUSED_GONE,      /* the client reset its connection before it got its 101 */
    REFUSED_RESOURCES, /* no memory, no descriptor, or the socket could not be taken over */
    REFUSALS
};

/* Close codes by class: each of 1000 to 1015 has its own, then 3xxx, 4xxx, and all others. */
enum { CLOSE_CLASSES = 19 };

static inline unsigned close_class(unsigned code) {
    return code >= 1000 && code <= 1015   ? code - 1000
           : code >= 3000 && code <= 3999 ? 16
           : code >= 4000 && code <= 4999 ? 17
                                          : 18;
}

struct counters {
    struct thread_counter handled;      /* messages that a handler was called with */
    struct thread_counter dropped;      /* messages that slow_consumer dropped */
    _Atomic uint64_t slow_disconnected; /* clients closed with 1013 beyond send_buffer_hard */
    _Atomic uint64_t memory_limited;    /* clients closed with 1013 beyond memory_limit */
    _Atomic uint64_t send_timed_out;    /* clients disconnected by send_timeout */
    _Atomic uint64_t rate_limited;      /* clients closed with 1008 by rate_policy */
    _Atomic uint64_t half_open_closed;  /* requests ended because they were not finished in time */

    _Atomic uint64_t accepted; /* connections */
    _Atomic uint64_t refused[REFUSALS];
    _Atomic uint64_t closed[CLOSE_CLASSES]; /* connections, by the code passed to the close callback */
    _Atomic uint64_t pings;                 /* sent */
    _Atomic uint64_t reloads, failed_reloads;
    _Atomic bool reload_failed;          /* whether the last reload failed */
    struct atomic_histogram handshakes;  /* microseconds from the request to the 101 */
    struct atomic_histogram round_trips; /* microseconds from a ping to its pong */
    struct atomic_histogram fan_out;     /* receivers of a broadcast */
};

/* Messages of one route, in stripes like those of struct thread_counter, so that one message touches one cache
 * line. */
struct traffic {
    struct {
        _Atomic uint64_t received, received_bytes, sent, sent_bytes; /* payload, before compression */
        char padding[CACHE_LINE - 4 * sizeof(uint64_t)];
    } stripes[STRIPES];
};

static inline void traffic_received(struct traffic *traffic, uint64_t bytes) {
    unsigned stripe = thread_counter_stripe();
    stripe_add(&traffic->stripes[stripe].received, stripe, 1);
    stripe_add(&traffic->stripes[stripe].received_bytes, stripe, bytes);
}

static inline void traffic_sent(struct traffic *traffic, uint64_t messages, uint64_t bytes) {
    unsigned stripe = thread_counter_stripe();
    stripe_add(&traffic->stripes[stripe].sent, stripe, messages);
    stripe_add(&traffic->stripes[stripe].sent_bytes, stripe, bytes);
}

#endif
