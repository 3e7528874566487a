/* start.c - starts a server's parts one after the other, with their configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/core/conn.h"
#include "server/core/crash.h"
#include "server/descriptors.h"
#include "server/log/log.h"
#include "server/server_private.h"

static int fail(weir_server *server, const char *what, const char *why) {
    snprintf(server->error, sizeof server->error, "%s: %s", what, why);
    return -1;
}

int server_plan_descriptors(const weir_server *server, unsigned max_connections, struct descriptor_plan *plan,
                            char *error, size_t error_size) {
    const struct config_server *config = &server->config->server;
    const struct config_admin *admin = &server->config->admin;
    unsigned listeners = 0, others = 0;
    while (config->listen[listeners] != NULL)
        listeners++;
    while (admin->listen[others] != NULL)
        others++;
    if (descriptors_plan(config->http_threads + admin->http_threads + ADMIN_QUEUE, config->connection_queue,
                         listeners + others, max_connections, plan, error, error_size) != 0)
        return -1;
    if (plan->connections < max_connections)
        log_event(LOG_SERVER, LOG_WARNING, "descriptors",
                  LOG_FIELDS(LOG_NUMBER("max_connections", max_connections),
                             LOG_NUMBER("possible", plan->connections), LOG_NUMBER("limit", plan->limit)));
    return 0;
}

static int start_pool(weir_server *server) {
    const struct pool_options options = {.workers = server->config->server.workers,
                                         .wake_threshold = server->config->server.wake_threshold,
                                         .scratch_size = CONN_SCRATCH_SIZE,
                                         .thread_begins = crash_thread_begins,
                                         .starved = server_warn_starved,
                                         .context = server};
    server->run->core.pool = pool_create(&options);
    if (server->run->core.pool == NULL)
        return fail(server, "pool", strerror(errno));
    int error = pool_start(server->run->core.pool);
    if (error != 0)
        return fail(server, "workers: a thread could not be started", strerror(error));
    if (channels_start(&server->run->channels) == 0)
        return 0;
    pool_stop(server->run->core.pool, UINT64_MAX);
    return fail(server, "start", "out of memory");
}

static int start_public_listener(weir_server *server, const struct descriptor_plan *plan) {
    const struct config *config = server->config;
    server->dispatch.core = &server->run->core;
    server->dispatch.trusted_proxies = config->server.trusted_proxies;
    server->public_listener = public_listener_start(config, plan->queue, (int)plan->base, &server->dispatch,
                                                    server->error, sizeof server->error);
    return server->public_listener == NULL ? -1 : 0;
}

static int start_admin(weir_server *server) {
    const struct config_admin *config = &server->config->admin;
    if (config->listen[0] == NULL)
        return 0;
    const struct admin_options options = {.listen = config->listen,
                                          .threads = config->http_threads,
                                          .token = config->secret,
                                          .dispatch = &server->dispatch,
                                          .reload = server_reload_from_outside,
                                          .context = server};
    server->admin = admin_start(&options, server->error, sizeof server->error);
    return server->admin == NULL ? -1 : 0;
}

/* Builds the first table and puts it in force. */
static int start_routes(weir_server *server) {
    struct route_table *table = routes_build(&server->routes, server->config, server->error, sizeof server->error);
    if (table == NULL)
        return -1;
    server_apply(server, table, core_settings(&server->run->core), server->run->core.registry.limit);
    return 0;
}

/* Stops the other parts when one could not start, and closes clients that have connected meanwhile. Keeps the
 * error. Returns as server_start(). */
static int give_up(weir_server *server) {
    char reason[CONFIG_ERROR_SIZE];
    memcpy(reason, server->error, sizeof reason);
    http_server_stop(server->public_listener);
    admin_stop(server->admin);
    if (!server_drain(server))
        return 1;
    atomic_store(&server->running, false);
    memcpy(server->error, reason, sizeof reason);
    return -1;
}

int server_start(weir_server *server) {
    struct descriptor_plan plan;
    if (server_plan_descriptors(server, server->config->server.max_connections, &plan, server->error,
                                sizeof server->error) != 0)
        return -1;
    if (server_begin_run(server, plan.connections) != 0 || start_pool(server) != 0)
        return -1;
    if (start_routes(server) != 0) {
        pool_stop(server->run->core.pool, UINT64_MAX);
        return -1;
    }
    atomic_store(&server->running, true);
    if (routes_start(server->table, server, server->error, sizeof server->error) == 0 &&
        start_public_listener(server, &plan) == 0 && start_admin(server) == 0 && server_note_addresses(server) == 0)
        return 0;
    return give_up(server);
}
