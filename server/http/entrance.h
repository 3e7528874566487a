/* entrance.h - how a client gets in: the routes as a handshake sees them, all from one reading of the
 * configuration.
 *
 * Entrances are immutable and counted: a request keeps a reference to those that were in force when it came.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ENTRANCE_H
#define WEIR_HTTP_ENTRANCE_H

#include "server/core/core.h"
#include "server/http/router.h"

struct entrance {
    struct route *route;
    char *const *subprotocols; /* in the order of preference, NULL-terminated; NULL: none */
    bool require_subprotocol;
    char *const *origins; /* as configured, NULL-terminated */
    struct deflate_policy deflate;
};

struct entrances {
    struct router *router;
    struct entrance *items; /* indexed by the router's numbers */
    size_t count;
    struct entrance unrouted; /* takes clients whose path has no route, to close them with 4040 ... */
    bool answers_404;         /* ... unless they get HTTP 404 */
    _Atomic unsigned references;
    void (*destroy)(struct entrances *entrances); /* called when the last reference goes */
};

/* The route of a pattern, valid while the caller holds its reference to the entrances; NULL if there is none. */
struct route *entrances_find(const struct entrances *entrances, const char *pattern);

void entrances_release(struct entrances *entrances);

/* Where to find the entrances that are in force. */
struct doors {
    struct mutex mutex;          /* guards what follows */
    struct entrances *entrances; /* with a reference */
};

void doors_init(struct doors *doors);
void doors_release(struct doors *doors);

/* The entrances in force, with a reference for the caller. Call it only after entrances_replace(). */
struct entrances *entrances_current(struct doors *doors);

/* Puts these entrances in force, and takes over the caller's reference. */
void entrances_replace(struct doors *doors, struct entrances *entrances);

#endif
