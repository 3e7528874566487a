/* routes.c - from the configured routes to the ones that serve: handlers found, plug-ins loaded, patterns in the
 * router.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/handlers/builtin.h"
#include "server/server_private.h"

static int out_of_memory(weir_server *server) {
    snprintf(server->error, sizeof server->error, "out of memory");
    return -1;
}

/* The handler of clients whose path has no route: they are closed before they can say anything. */
static const struct weir_handler no_handler = {.flags = WEIR_NEVER_BLOCKS};

/* A window of 4 KiB: with context takeover a stream costs 32 KiB, at 15 bits it would be 256 KiB. */
static struct deflate_policy deflate_policy(enum compression compression) {
    return (struct deflate_policy){.enabled = compression != COMPRESSION_OFF,
                                   .takeover = compression == COMPRESSION_TAKEOVER,
                                   .window_bits = 12};
}

static enum slow_consumer_policy slow_consumer_policy(enum slow_consumer configured) {
    return configured == SLOW_DROP_OLDEST   ? SLOW_CONSUMER_DROP_OLDEST
           : configured == SLOW_DROP_NEWEST ? SLOW_CONSUMER_DROP_NEWEST
                                            : SLOW_CONSUMER_DISCONNECT;
}

static void init_route(weir_server *server, struct served_route *served, const char *pattern,
                       const struct weir_handler *handler, void *context) {
    served->route = (struct route){.pattern = pattern,
                                   .handler = handler,
                                   .context = context,
                                   .core = &server->core,
                                   .origins = server->config->websocket.origins,
                                   .deflate = deflate_policy(server->config->websocket.compression),
                                   .slow_consumer = slow_consumer_policy(server->config->websocket.slow_consumer)};
}

static void apply_policy(const struct config_route *configured, struct route *route) {
    if (strcmp(configured->subprotocols[0], "none") != 0)
        route->subprotocols = configured->subprotocols;
    route->require_subprotocol = configured->require_subprotocol;
    if (strcmp(configured->origins[0], "inherit") != 0)
        route->origins = configured->origins;
    if (configured->compression != COMPRESSION_INHERIT)
        route->deflate = deflate_policy(configured->compression);
    if (configured->slow_consumer != SLOW_INHERIT)
        route->slow_consumer = slow_consumer_policy(configured->slow_consumer);
}

static int load_configured(weir_server *server, const struct config_route *configured,
                           struct served_route *served) {
    init_route(server, served, configured->pattern, NULL, NULL);
    apply_policy(configured, &served->route);
    served->route.lane.limit = configured->concurrency;
    if (strcmp(configured->handler, "echo") == 0) {
        served->route.handler = &handler_echo;
    } else if (strcmp(configured->handler, "broadcast") == 0) {
        served->echo_self = configured->echo_self;
        served->route.handler = &handler_broadcast;
        served->route.context = &served->echo_self;
    } else {
        if (plugin_load(&served->plugin, server->config, configured, server->error, sizeof server->error) != 0)
            return -1;
        served->route.handler = served->plugin.table->handler;
    }
    return 0;
}

static int add_to_router(weir_server *server, const char *pattern, size_t index, unsigned line) {
    char reason[256];
    if (router_add(server->router, pattern, index, reason, sizeof reason) == 0)
        return 0;
    if (line == 0)
        snprintf(server->error, sizeof server->error, "%s", reason);
    else
        snprintf(server->error, sizeof server->error, "%s:%u: %s", server->config->path, line, reason);
    return -1;
}

static int allocate(weir_server *server, size_t count) {
    server->router = router_create();
    server->routes = calloc(count + 1, sizeof *server->routes);
    server->route_table = calloc(count + 1, sizeof *server->route_table);
    if (server->router == NULL || server->routes == NULL || server->route_table == NULL)
        return out_of_memory(server);
    for (size_t i = 0; i < count; i++)
        server->route_table[i] = &server->routes[i].route;
    return 0;
}

int routes_load(weir_server *server) {
    const struct config *config = server->config;
    if (allocate(server, config->route_count + server->added_count) != 0)
        return -1;
    init_route(server, &server->no_route, "", &no_handler, NULL);
    for (size_t i = 0; i < config->route_count; i++) {
        const struct config_route *configured = &config->routes[i];
        if (add_to_router(server, configured->pattern, server->route_count, configured->section_line) != 0 ||
            load_configured(server, configured, &server->routes[server->route_count]) != 0)
            return -1;
        server->route_count++;
    }
    for (size_t i = 0; i < server->added_count; i++) {
        const struct added_route *added = &server->added[i];
        if (add_to_router(server, added->pattern, server->route_count, 0) != 0)
            return -1;
        init_route(server, &server->routes[server->route_count], added->pattern, added->handler, added->context);
        server->route_count++;
    }
    return 0;
}

int routes_start(weir_server *server) {
    for (size_t i = 0; i < server->config->route_count; i++) {
        struct served_route *served = &server->routes[i];
        if (served->plugin.object == NULL)
            continue;
        if (plugin_start(&served->plugin, server, server->config, &server->config->routes[i], server->error,
                         sizeof server->error) != 0)
            return -1;
        served->route.context = served->plugin.context;
    }
    return 0;
}

void routes_stop(weir_server *server) {
    for (size_t i = 0; i < server->route_count; i++)
        plugin_unload(&server->routes[i].plugin);
}

void routes_free(weir_server *server) {
    for (size_t i = 0; i < server->route_count; i++)
        pool_drop_lane(&server->routes[i].route.lane);
    free(server->routes);
    free(server->route_table);
    router_destroy(server->router);
    server->routes = NULL;
    server->route_table = NULL;
    server->router = NULL;
    server->route_count = 0;
}

struct route *routes_find(const weir_server *server, const char *pattern) {
    for (size_t i = 0; i < server->route_count; i++)
        if (strcmp(server->routes[i].route.pattern, pattern) == 0)
            return &server->routes[i].route;
    return NULL;
}
