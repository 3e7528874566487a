/* routes.h - turns configured routes into routes that serve, at the start and at each reload: finds handlers, loads
 * plug-ins, and puts patterns into the router.
 *
 * A reload keeps a route whose pattern, handler and options are unchanged, with its clients. It creates any other
 * route again. The old route then has no entry, and stays until its last client has left.
 *
 * Only the thread that runs the server calls these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_ROUTES_H
#define WEIR_SERVER_ROUTES_H

#include "server/config/config.h"
#include "server/http/route_entry.h"
#include "server/served_route.h"

/* The routes of one configuration. */
struct route_table {
    struct route_entries entries;
    const struct config *config;
    struct config *owned;         /* the same, if the table frees it; else NULL */
    struct served_route **served; /* in the order of the entries */
};

/* A route that the embedding program added. */
struct added_route {
    char *pattern; /* a copy that this struct owns, in routes.added */
    const struct weir_handler *handler;
    void *context;
};

/* All routes of a server. */
struct routes {
    struct core *core;
    struct added_route *added;
    size_t added_count;
    struct served_route *all; /* one reference each; includes routes that are no longer in a table */
    size_t count;
};

/* Adds a copy of `route` to every table built from now on. Returns 0, or -1 with one line in `error`: the pattern
 * is malformed, or matches the same paths as a route that was added before or is in `config`; or memory is out. */
int routes_add(struct routes *routes, const struct config *config, const struct added_route *route, char *error,
               size_t error_size);

/* Frees the routes that the program added. */
void routes_forget_added(struct routes *routes);

/* Builds the table of `config`, which must outlive it, for route_entries_replace(). Loads plug-ins without starting
 * them, and reads their options. Returns NULL with one line in `error`; routes in service are then unchanged. */
struct route_table *routes_build(struct routes *routes, struct config *config, char *error, size_t error_size);

/* Starts the table's plug-ins that have not started yet. Returns 0, or -1 with one line in `error`. */
int routes_start(const struct route_table *table, weir_server *server, char *error, size_t error_size);

/* Applies the table's options to its routes, and so to existing connections. Part of server_apply(). */
void routes_apply(const struct route_table *table, struct pool *pool);

/* Ends the routes that are in no table and that no client or handle uses. */
void routes_reap(struct routes *routes);

/* Returns the number of routes that are not in `table`, but still in use. */
size_t routes_retired(const struct routes *routes, const struct route_table *table);

/* Stops and unloads every plug-in, at the end of a run. */
void routes_end(struct routes *routes);

/* Releases all routes, and ends plug-ins that routes_end() has not ended. A route that a handle still refers to
 * keeps its memory until the handle is released. */
void routes_release(struct routes *routes);

#endif
