/* entrance.h - how one gets in: the routes as a handshake sees them, all of one reading of the configuration.
 *
 * Immutable and counted: a request holds on to the one that was in force when it came.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ENTRANCE_H
#define WEIR_HTTP_ENTRANCE_H

#include "server/core/core.h"
#include "server/core/router.h"

struct entrance {
    struct route *route;
    char *const *subprotocols; /* in the order of preference, NULL-terminated; NULL: none */
    bool require_subprotocol;
    char *const *origins; /* as configured, NULL-terminated */
    struct deflate_policy deflate;
};

struct entrances {
    struct router *router;
    struct entrance *items; /* by the router's numbers */
    size_t count;
    struct entrance unrouted; /* takes clients whose path has no route, to close them with 4040 ... */
    bool answers_404;         /* ... unless they get HTTP 404 */
    _Atomic unsigned references;
    void (*destroy)(struct entrances *entrances); /* with the last */
};

/* The route of a pattern, while the caller has its reference; NULL if there is none. */
struct route *entrances_find(const struct entrances *entrances, const char *pattern);

void entrances_release(struct entrances *entrances);

/* Where the entrances that are in force can be found. */
struct doors {
    struct mutex mutex;          /* guards what follows */
    struct entrances *entrances; /* with a reference */
};

void doors_init(struct doors *doors);
void doors_release(struct doors *doors);

/* Those in force now, with a reference for the caller. Not before there are any. */
struct entrances *entrances_current(struct doors *doors);

/* From now on these, with the caller's reference. */
void entrances_replace(struct doors *doors, struct entrances *entrances);

#endif
