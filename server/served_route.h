/* served_route.h - one route that serves: what its connections share, its plug-in, and how it was configured. Only
 * the thread that runs the server calls these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SERVED_ROUTE_H
#define WEIR_SERVER_SERVED_ROUTE_H

#include "server/config/config.h"
#include "server/core/core.h"
#include "server/handlers/builtin.h"
#include "server/plugin.h"

struct served_route {
    struct route route;
    struct builtin_route builtin; /* the context of a built-in handler that needs one */
    struct weir_handler own;      /* a copy of the program's or plug-in's handler; unused by a built-in one */
    struct plugin plugin;         /* all zero unless the handler comes from a plug-in */
    char *handler;                /* as configured; NULL: the program added the route */
    char *channel;                /* as configured, or NULL */
    char **allowed_channels;      /* as configured; NULL: the program added the route */
    char **extras;                /* the plug-in's keys: name, value and file content in turn; NULL-terminated */
    struct served_route *next;
};

/* Creates a route without a handler, and with one reference, which is the caller's. `core` is NULL if no server
 * runs and the configuration is only checked; `configured` is NULL for a route that the program added. Returns NULL
 * if memory is out. */
struct served_route *served_create(struct core *core, const char *pattern, const struct config_route *configured);

/* Gives the route a copy of the handler, which handler_copy() has accepted. */
void served_set_handler(struct served_route *served, const struct weir_handler *handler, void *context);

/* Sets the route's handler. Loads a plug-in without starting it. Returns 0, or -1 with one line in `error`. */
int served_find_handler(struct served_route *served, const struct config *config,
                        const struct config_route *configured, char *error, size_t error_size);

/* Copies the keys for the route's plug-in, after they have been read (plugin_read_options()). Returns false if
 * memory is out. */
bool served_keep_options(struct served_route *served, const struct config_route *configured);

/* Returns true if the route fits this configuration, so that it can go on with its clients. */
bool served_is_same(const struct served_route *served, const struct config_route *configured);

/* Stops the plug-in, whose handler must not be in use any more, and releases the caller's reference. */
void served_end(struct served_route *served);

#endif
