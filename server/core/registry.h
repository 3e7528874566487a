/* registry.h - the connections of a server, and those of each route, under one mutex.
 *
 * It holds no reference: a connection is in it from before its 101 is sent until its end, and leaves before it
 * dies. Under the mutex there are no system calls and no callbacks of handlers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_REGISTRY_H
#define WEIR_CORE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/mutex.h"
#include "pool/slots.h"

struct weir_conn;
struct route;

struct registry {
    struct mutex mutex; /* guards all below, and the lists of the routes */
    struct slots slots; /* the connections */
    unsigned admitted;  /* connections that have a place, those not yet added and those just ending too */
    unsigned limit;
    bool closed;          /* nobody is admitted any more */
    pthread_cond_t empty; /* admitted became 0 */
};

/* A connection's place in its route's list. */
struct registry_link {
    struct weir_conn *next, *previous;
};

void registry_init(struct registry *registry, unsigned limit);
void registry_release(struct registry *registry);

enum registry_answer { REGISTRY_ADMITTED, REGISTRY_FULL, REGISTRY_CLOSED };

/* Takes a place among the `limit`, before anything is promised to the client; registry_leave() gives it back. */
enum registry_answer registry_admit(struct registry *registry);
void registry_leave(struct registry *registry);

unsigned registry_limit(struct registry *registry);

/* Those beyond a smaller limit stay. */
void registry_set_limit(struct registry *registry, unsigned limit);

/* Lists a connection and sets its id, a number that no other connection of the process has or had; if the registry
 * has been closed meanwhile, it is to drain. Returns -1 if memory is out. */
int registry_add(struct registry *registry, struct weir_conn *conn);
void registry_remove(struct registry *registry, struct weir_conn *conn);

/* Calls `visit` for each connection of a route, or of all routes if it is NULL, with the mutex held. */
void registry_each(struct registry *registry, const struct route *route,
                   void (*visit)(struct weir_conn *conn, void *arg), void *arg);

/* Calls `visit` likewise for `count` connections of all routes at most, from `*position` on, which is 0 at first
 * and then left where the next call is to go on. Returns how many there were: less than `count` only at the end.
 * Those that come or go between two calls may be met or not; all others are, once. */
unsigned registry_each_from(struct registry *registry, uint32_t *position, unsigned count,
                            void (*visit)(struct weir_conn *conn, void *arg), void *arg);

/* The connection with this id, with a reference for the caller; NULL if there is none. It looks at all of them. */
struct weir_conn *registry_find(struct registry *registry, uint64_t id);

/* Refuses everybody from now on. */
void registry_close(struct registry *registry);
bool registry_is_closed(struct registry *registry);

/* Waits until all have left, at the latest until `deadline` (milliseconds of the monotonic clock). Returns how many
 * are left. */
unsigned registry_wait_empty(struct registry *registry, uint64_t deadline);

unsigned registry_count(struct registry *registry);

#endif
