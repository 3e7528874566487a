/* core.h - what all connections of a server share, and the routes that they belong to. Set up before the first
 * connection; only what says so changes afterwards.
 *
 * Lock order: a thread that holds one of these locks only those below it.
 *
 *     registry    who is here; no system call and no callback under it
 *     visitors    who is here by address; no other lock is taken under it
 *     connection  one connection's outbox, inbox and state
 *     after       one weir_after() timer
 *     pool        the run queues (POOL_LOCK_RANK)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/server.h>

#include "pool/pool.h"
#include "server/core/counters.h"
#include "server/core/registry.h"
#include "server/core/shed.h"
#include "server/core/visitors.h"
#include "server/proto/decoder.h"
#include "server/proto/extension.h"

enum lock_rank { REGISTRY_LOCK_RANK = 10, VISITORS_LOCK_RANK = 15, CONN_LOCK_RANK = 20, AFTER_LOCK_RANK = 25 };
_Static_assert((int)AFTER_LOCK_RANK < (int)POOL_LOCK_RANK, "the pool's mutex is the last");

struct core {
    struct pool *pool;
    weir_server *server; /* for weir_conn_server() */
    struct registry registry;
    struct visitors visitors;
    struct counters counters;
    struct shed shed;
    struct decoder_limits limits;
    uint32_t compression_threshold; /* payloads below it go plain */
    size_t inbox_size;              /* bytes that may wait for a handler before reading stops */
    size_t send_buffer_soft;        /* bytes of replies that may wait before reading stops */
    size_t send_buffer_hard;        /* bytes that may wait before slow_consumer says what happens */
    uint64_t send_timeout_ms;       /* 0: none */
    uint64_t message_rate;          /* messages, pings and pongs a second; 0: any number */
    uint64_t byte_rate;             /* likewise */
    bool rate_closes;               /* a client beyond its rate is closed, not paused */
    uint64_t close_timeout_ms;
    uint64_t ping_interval_ms; /* 0: no pings */
    uint64_t ping_timeout_ms;
    uint64_t idle_timeout_ms; /* 0: none */
};

enum slow_consumer_policy { SLOW_CONSUMER_DISCONNECT, SLOW_CONSUMER_DROP_OLDEST, SLOW_CONSUMER_DROP_NEWEST };

struct route {
    const char *pattern;
    const struct weir_handler *handler;
    void *context;
    struct core *core;
    char *const *subprotocols; /* in the order of preference, NULL-terminated; NULL: none */
    bool require_subprotocol;
    char *const *origins; /* as configured, NULL-terminated */
    struct deflate_policy deflate;
    enum slow_consumer_policy slow_consumer;
    _Atomic unsigned audience[WINDOW_BITS_MAX + 1]; /* its connections by conn_send_bits() */
    struct lane lane;                               /* the cap on concurrent handlers; the pool's mutex */
    struct weir_conn *first;                        /* its connections; the registry's mutex */
};

static inline bool route_never_blocks(const struct route *route) {
    return (route->handler->flags & WEIR_NEVER_BLOCKS) != 0;
}

static inline bool core_is_message(enum weir_opcode opcode) {
    return opcode == WEIR_TEXT || opcode == WEIR_BINARY;
}

#endif
