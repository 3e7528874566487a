/* route_entry.h - how a client gets in: the routes as a handshake sees them, all from one reading of the
 * configuration.
 *
 * Entrances are immutable and counted: a request keeps a reference to those that were in force when it came.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ROUTE_ENTRY_H
#define WEIR_HTTP_ROUTE_ENTRY_H

#include "server/core/core.h"
#include "server/http/router.h"

struct route_entry {
    struct route *route;
    char *const *subprotocols; /* in the order of preference, NULL-terminated; NULL: none */
    bool require_subprotocol;
    char *const *origins; /* as configured, NULL-terminated */
    struct deflate_policy deflate;
};

struct route_entries {
    struct router *router;
    struct route_entry *items; /* indexed by the router's numbers */
    size_t count;
    struct route_entry unrouted; /* takes clients whose path has no route, to close them with 4040 ... */
    bool answers_404;            /* ... unless they get HTTP 404 */
    _Atomic unsigned references;
    void (*destroy)(struct route_entries *entries); /* called when the last reference goes */
};

/* The route of a pattern, valid while the caller holds its reference to the entries; NULL if there is none. */
struct route *route_entries_find(const struct route_entries *entries, const char *pattern);

void route_entries_release(struct route_entries *entries);

/* Where to find the entries that are in force. */
struct current_routes {
    struct mutex mutex;            /* guards what follows */
    struct route_entries *entries; /* with a reference */
};

void current_routes_init(struct current_routes *current);
void current_routes_release(struct current_routes *current);

/* The entries in force, with a reference for the caller. Call it only after route_entries_replace(). */
struct route_entries *route_entries_current(struct current_routes *current);

/* Puts these entries in force, and takes over the caller's reference. */
void route_entries_replace(struct current_routes *current, struct route_entries *entries);

#endif
