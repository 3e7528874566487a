/* routes.h - from the configured routes to the ones that serve: handlers found, plug-ins loaded, patterns in the
 * router; at the start, and again at each reload.
 *
 * A route whose pattern and handler are as before goes on as it is, with its clients; any other is made anew, and
 * the one before stays, without an entrance, until its last client has left.
 *
 * Everything here is for the thread that runs the server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_ROUTES_H
#define WEIR_SERVER_ROUTES_H

#include "server/config/config.h"
#include "server/http/entrance.h"
#include "server/served_route.h"

/* Those of one reading of the configuration, and that. */
struct route_table {
    struct entrances entrances;
    const struct config *config;
    struct config *owned;         /* the same, if it goes with the table; else NULL */
    struct served_route **served; /* as the entrances */
};

/* A route that the embedding program added. */
struct added_route {
    char *pattern; /* this one's own */
    const struct weir_handler *handler;
    void *context;
};

/* What a server has of them. */
struct routes {
    struct core *core;
    struct added_route *added;
    size_t added_count;
    struct served_route *all; /* with a reference each; those that no table names any more, too */
    size_t count;
};

/* Adds a copy, to be in every table from now on. -1 with one line in `error`: a pattern that is malformed, or
 * matches the same paths as one that has been added or that `config` has. */
int routes_add(struct routes *routes, const struct config *config, const struct added_route *route, char *error,
               size_t error_size);
void routes_forget_added(struct routes *routes);

/* A table of `config`, which has to outlive it, for entrances_replace(); plug-ins are loaded, not started, and the
 * options of the routes that are theirs are read. NULL with one line in `error`, and nothing that serves has
 * changed. */
struct route_table *routes_build(struct routes *routes, struct config *config, char *error, size_t error_size);

/* Starts the plug-ins that have not been yet. -1 with one line in `error`. */
int routes_start(const struct route_table *table, weir_server *server, char *error, size_t error_size);

/* Once it is in force: what living connections see of it changes too. */
void routes_apply(const struct route_table *table, struct pool *pool);

/* Ends those that no table names and no client uses any more. */
void routes_reap(struct routes *routes);

/* Routes that no table names any more, but somebody uses. */
size_t routes_retired(const struct routes *routes, const struct route_table *table);

/* The end of a run: stops every plug-in. */
void routes_end(struct routes *routes);

/* Afterwards. Handles that are still held keep their route's memory. */
void routes_release(struct routes *routes);

#endif
