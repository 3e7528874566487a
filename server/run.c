/* run.c - creates a run, before it has threads, and frees it. The server, the routes and the timers share a run.
 * The last reference frees it, on any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/core/user_timer.h"
#include "server/server_private.h"

static void destroy(struct core *core) {
    struct run *run = (struct run *)core; /* its first member */
    pool_destroy(core->pool);
    channels_release(&run->channels);
    registry_release(&core->registry);
    address_limiter_release(&core->address_limiter);
    mutex_destroy(&core->timers.mutex);
    for (struct kept_settings *kept; (kept = run->settings) != NULL;) {
        run->settings = kept->next;
        free(kept);
    }
    free(run);
}

static int init_core(weir_server *server, unsigned max_connections) {
    const struct config_server *config = &server->config->server;
    struct run *run = server->run;
    struct core *core = &run->core;
    core->server = server;
    core->references = 1;
    core->destroy = destroy;
    core->channels = &run->channels;
    core->on_drained = channels_hand_out;
    core->on_end = channels_leave_all;
    registry_init(&core->registry, max_connections);
    user_timers_init(&core->timers);
    memory_limit_init(&core->memory_limit, (int64_t)config->memory_limit);
    core->settings = server_settings(server, server->config);
    bool good = channels_init(&run->channels, core) == 0;
    good = address_limiter_init(&core->address_limiter, config->max_connections_per_ip,
                                config->handshake_rate_per_ip, max_connections) == 0 &&
           good;
    return good && core->settings != NULL ? 0 : -1;
}

int server_begin_run(weir_server *server, unsigned max_connections) {
    server->run = calloc(1, sizeof *server->run);
    if (server->run != NULL) {
        server->routes.core = &server->run->core;
        server->public_listener = NULL; /* these two have been freed */
        server->admin = NULL;
        current_routes_init(&server->dispatch.current_routes);
        if (init_core(server, max_connections) == 0)
            return 0;
    }
    snprintf(server->error, sizeof server->error, "start: out of memory");
    return -1;
}

void server_release_run(weir_server *server) {
    if (server->run == NULL)
        return;
    current_routes_release(&server->dispatch.current_routes);
    routes_release(&server->routes);
    core_release(&server->run->core);
    server->routes.core = NULL;
    server->run = NULL;
    server->table = NULL;
}
