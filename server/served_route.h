/* served_route.h - one route that serves: what its connections share, its plug-in, and how it was configured. For
 * the thread that runs the server.
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
    struct builtin_route builtin; /* the context of those built-in handlers that have one */
    struct plugin plugin;         /* all zero unless the handler comes from one */
    char *handler;                /* as configured; NULL: the program added it. Likewise the three that follow */
    char *channel;
    char **channels;
    char **extras; /* the keys that are the plug-in's: name, value and the content of its file in turn;
                      NULL-terminated */
    struct served_route *next;
};

/* With one reference, the caller's, and no handler yet. `configured` may be NULL. NULL if memory is out. */
struct served_route *served_create(struct core *core, const char *pattern, const struct config_route *configured);

/* A plug-in is loaded, not started. -1 with one line in `error`. */
int served_find_handler(struct served_route *served, const struct config *config,
                        const struct config_route *configured, char *error, size_t error_size);

/* Remembers the keys for its plug-in, once they have been read (plugin_read_options()). False if memory is out. */
bool served_keep_options(struct served_route *served, const struct config_route *configured);

/* True if clients of the one may stay with the other. */
bool served_is_same(const struct served_route *served, const struct config_route *configured);

/* Stops the plug-in, whose handler nobody calls any more, and gives up the caller's reference. */
void served_end(struct served_route *served);

#endif
