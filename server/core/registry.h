/* registry.h - the connections of a server, and those of each route, under one mutex.
 *
 * It holds no references. A connection is in it from before its 101 is sent until its end, and leaves before it is
 * freed. No system calls and no handler callbacks are made under the mutex. Any thread may call these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_REGISTRY_H
#define WEIR_CORE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/handle_table.h"
#include "base/mutex.h"

struct weir_conn;
struct route;

struct registry {
    struct mutex mutex;          /* guards all fields below, and the lists of the routes */
    struct handle_table handles; /* the connections */
    unsigned admitted; /* connections that count towards the limit, including those not yet added and those that are
                          ending */
    unsigned limit;
    bool closed;          /* no connection is admitted any more */
    pthread_cond_t empty; /* signalled when admitted becomes 0 */
};

/* A connection's links in its route's list. */
struct registry_link {
    struct weir_conn *next, *previous;
};

void registry_init(struct registry *registry, unsigned limit);
void registry_release(struct registry *registry);

enum registry_answer { REGISTRY_ADMITTED, REGISTRY_FULL, REGISTRY_CLOSED };

/* Counts a connection towards the `limit`, before anything is promised to the client. registry_leave() takes it out
 * of the count. */
enum registry_answer registry_admit(struct registry *registry);
void registry_leave(struct registry *registry);

unsigned registry_limit(struct registry *registry);

/* Connections beyond a smaller limit stay. */
void registry_set_limit(struct registry *registry, unsigned limit);

/* Lists a connection and sets its id, which no other connection of the process has or had. If the registry has
 * been closed in the meantime, the connection is marked to drain. Returns -1 if memory is exhausted. */
int registry_add(struct registry *registry, struct weir_conn *conn);
void registry_remove(struct registry *registry, struct weir_conn *conn);

/* Calls `visit` for each connection of a route, with the mutex held. If route is NULL, visits all connections. */
void registry_each(struct registry *registry, const struct route *route,
                   void (*visit)(struct weir_conn *conn, void *arg), void *arg);

/* Calls `visit` for at most `count` connections of all routes, with the mutex held. Starts at `*position`, which
 * is 0 at first, and updates it for the next call. Returns how many it visited, which is less than `count` only at
 * the end. Connections that come or go between two calls may be visited or not; all others are visited once. */
unsigned registry_each_from(struct registry *registry, uint32_t *position, unsigned count,
                            void (*visit)(struct weir_conn *conn, void *arg), void *arg);

/* Returns the connection with this id, with a reference for the caller, or NULL if there is none. Walks all
 * connections. */
struct weir_conn *registry_find(struct registry *registry, uint64_t id);

/* Refuses every connection from now on. */
void registry_close(struct registry *registry);
bool registry_is_closed(struct registry *registry);

/* Waits until all connections have left, but no longer than `deadline` (milliseconds of the monotonic clock).
 * Returns how many are left. */
unsigned registry_wait_empty(struct registry *registry, uint64_t deadline);

unsigned registry_count(struct registry *registry);

#endif
