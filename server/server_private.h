/* server_private.h - the inside of a server, for server.c, routes.c and stop.c.
 *
 * All of it belongs to the thread that configures and runs the server, save what `core` says otherwise; the other
 * threads only read it while they run.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SERVER_PRIVATE_H
#define WEIR_SERVER_SERVER_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <weir/server.h>

#include "server/config/config.h"
#include "server/core/core.h"
#include "server/core/router.h"
#include "server/http/front.h"
#include "server/plugin.h"

/* A route that serves, and what it needs beside. */
struct served_route {
    struct route route;
    bool echo_self;       /* the built-in broadcast's context */
    struct plugin plugin; /* all zero unless the handler comes from one */
};

/* A route that the embedding program added. */
struct added_route {
    char *pattern;
    const struct weir_handler *handler;
    void *context;
};

struct weir_server {
    struct config *config;
    struct added_route *added;
    size_t added_count;
    int stop_event; /* an eventfd */
    char error[CONFIG_ERROR_SIZE];

    /* Made by weir_server_run(), kept until the next one or the end: handles and timers may refer to it. */
    bool ran;
    _Atomic bool running; /* the pool may be used */
    struct core core;
    struct served_route *routes;
    struct route **route_table; /* &routes[i].route, for the service */
    size_t route_count;
    struct served_route no_route;
    struct router *router;
    struct service service;
    struct front *front;
};

/* --- routes.c: 0, or -1 with server->error set. routes_stop() then ends the plug-ins, whatever has been done;
 * routes_free() frees the rest --- */
int routes_load(weir_server *server);
int routes_start(weir_server *server);
void routes_stop(weir_server *server);
void routes_free(weir_server *server);
struct route *routes_find(const weir_server *server, const char *pattern);

/* --- server.c: everything that can be checked without serving. 0, or -1 with server->error set --- */
int server_check(weir_server *server);

/* --- stop.c: closes every connection. Returns false if a handler was left behind. --- */
bool server_drain(weir_server *server);

/* The last line of a clean stop: how many messages were handled, and of the other counters those that are not 0. */
void server_log_stopped(const weir_server *server);

#endif
