/* server.c - a server's life: configured, started part by part, run, stopped in the reverse order.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <weir/weir.h>

#include "server/core/after.h"
#include "server/core/broadcast.h"
#include "server/core/conn.h"
#include "server/descriptors.h"
#include "server/log/log.h"
#include "server/server_private.h"

/* --- Configuring ------------------------------------------------------------------------------------------- */

static int fail(weir_server *server, const char *what, const char *why) {
    snprintf(server->error, sizeof server->error, "%s: %s", what, why);
    return -1;
}

/* What the last run has left for those who still hold handles. */
static void release_run(weir_server *server) {
    if (!server->ran)
        return;
    routes_free(server);
    pool_destroy(server->core.pool);
    registry_release(&server->core.registry);
    visitors_release(&server->core.visitors);
    server->core.pool = NULL;
    server->ran = false;
}

weir_server *weir_server_create(void) {
    weir_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->config = config_create();
    server->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->config == NULL || server->stop_event < 0) {
        weir_server_destroy(server);
        return NULL;
    }
    return server;
}

int weir_server_load(weir_server *server, const char *path) {
    return config_load(server->config, path, server->error, sizeof server->error);
}

int weir_server_set(weir_server *server, const char *section, const char *key, const char *value) {
    return config_set(server->config, section, key, value, server->error, sizeof server->error);
}

int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler, void *context) {
    struct router *probe = router_create();
    if (probe == NULL)
        return fail(server, "route", "out of memory");
    int result = router_add(probe, pattern, 0, server->error, sizeof server->error);
    router_destroy(probe);
    if (result != 0)
        return -1;
    struct added_route *added = realloc(server->added, (server->added_count + 1) * sizeof *added);
    if (added == NULL)
        return fail(server, "route", "out of memory");
    server->added = added;
    added[server->added_count] = (struct added_route){strdup(pattern), handler, context};
    if (added[server->added_count].pattern == NULL)
        return fail(server, "route", "out of memory");
    server->added_count++;
    return 0;
}

const char *weir_server_error(const weir_server *server) {
    return server->error;
}

void weir_server_destroy(weir_server *server) {
    if (server == NULL)
        return;
    release_run(server);
    for (size_t i = 0; i < server->added_count; i++)
        free(server->added[i].pattern);
    free(server->added);
    config_destroy(server->config);
    if (server->stop_event >= 0)
        close(server->stop_event);
    free(server);
}

/* --- Starting ---------------------------------------------------------------------------------------------- */

static int plan_descriptors(weir_server *server, struct descriptor_plan *plan) {
    const struct config_server *config = &server->config->server;
    unsigned listeners = 0;
    while (config->listen[listeners] != NULL)
        listeners++;
    if (descriptors_plan(config->http_threads, config->connection_queue, listeners, config->max_connections, plan,
                         server->error, sizeof server->error) != 0)
        return -1;
    if (plan->connections < config->max_connections)
        log_event(LOG_WARNING, "descriptors", "max_connections=%u possible=%u limit=%u", config->max_connections,
                  plan->connections, plan->limit);
    return 0;
}

static void init_core(weir_server *server, unsigned max_connections) {
    const struct config_websocket *websocket = &server->config->websocket;
    server->core = (struct core){
        .server = server,
        .limits = {.max_message_size = websocket->max_message_size,
                   .max_fragments = websocket->max_fragments,
                   .expect_masked = true},
        .compression_threshold = (uint32_t)websocket->compression_threshold,
        .inbox_size = websocket->inbox_size,
        .send_buffer_soft = websocket->send_buffer_soft,
        .send_buffer_hard = websocket->send_buffer_hard,
        .send_timeout_ms = websocket->send_timeout_ms,
        .message_rate = websocket->message_rate,
        .byte_rate = websocket->byte_rate,
        .rate_closes = websocket->rate_policy == RATE_CLOSE,
        .close_timeout_ms = websocket->close_timeout_ms,
        .ping_interval_ms = websocket->ping_interval_ms,
        .ping_timeout_ms = websocket->ping_timeout_ms,
        .idle_timeout_ms = websocket->idle_timeout_ms,
    };
    registry_init(&server->core.registry, max_connections);
    shed_init(&server->core.shed, (int64_t)server->config->server.memory_limit);
}

static int init_visitors(weir_server *server) {
    const struct config_server *config = &server->config->server;
    if (visitors_init(&server->core.visitors, config->max_connections_per_ip, config->upgrades_per_ip,
                      server->core.registry.limit) == 0)
        return 0;
    return fail(server, "max_connections_per_ip, upgrades_per_ip", "out of memory");
}

static int start_pool(weir_server *server) {
    const struct pool_options options = {.workers = server->config->server.workers, .scratch_size = CONN_READ_SIZE};
    server->core.pool = pool_create(&options);
    if (server->core.pool == NULL)
        return fail(server, "pool", strerror(errno));
    int error = pool_start(server->core.pool);
    if (error == 0)
        return 0;
    return fail(server, "workers: a thread could not be started", strerror(error));
}

static int start_front(weir_server *server, int base) {
    const struct config *config = server->config;
    bool answers_404 = config->server.unknown_route == UNKNOWN_ROUTE_404;
    server->service = (struct service){.core = &server->core,
                                       .router = server->router,
                                       .routes = server->route_table,
                                       .route_count = server->route_count,
                                       .no_route = answers_404 ? NULL : &server->no_route.route,
                                       .trusted_proxies = config->server.trusted_proxies};
    if (adoption_open(&server->service.adoption, base) != 0)
        return fail(server, "adoption", strerror(errno));
    const struct front_options options = {.listen = config->server.listen,
                                          .threads = config->server.http_threads,
                                          .connection_queue = config->server.connection_queue,
                                          .handshake_timeout_ms = config->websocket.handshake_timeout_ms,
                                          .handshakes_per_ip = config->server.handshakes_per_ip};
    server->front = front_start(&options, &server->service, server->error, sizeof server->error);
    if (server->front != NULL)
        return 0;
    adoption_close(&server->service.adoption);
    return -1;
}

int server_check(weir_server *server) {
    int result = config_check(server->config, server->error, sizeof server->error);
    if (result == 0) {
        result = routes_load(server);
        routes_stop(server);
        routes_free(server);
    }
    return result;
}

/* --- Running ----------------------------------------------------------------------------------------------- */

static void wait_for_stop(const weir_server *server) {
    struct pollfd event = {.fd = server->stop_event, .events = POLLIN};
    while (poll(&event, 1, -1) < 0 && errno == EINTR)
        continue;
}

/* For the next run: whatever has asked this one to stop, be it twice. */
static void clear_stop(const weir_server *server) {
    eventfd_t count;
    eventfd_read(server->stop_event, &count);
}

/* Serves with everything started. Returns false if something was left behind. */
static bool serve(weir_server *server) {
    log_event(LOG_INFO, "ready", "version=%s routes=%zu workers=%u max_connections=%u", WEIR_VERSION,
              server->route_count, server->config->server.workers, server->core.registry.limit);
    wait_for_stop(server);
    if (!server_drain(server))
        return false;
    atomic_store(&server->running, false);
    front_stop(server->front);
    adoption_close(&server->service.adoption);
    return true;
}

/* Signals are for the threads of the program, not for those that are started here: a handler's blocking call would
 * return with EINTR. Faults stay unblocked. */
static void block_signals(sigset_t *before) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, before);
}

/* 0, or -1 with everything stopped again. */
static int start(weir_server *server) {
    struct descriptor_plan plan;
    if (plan_descriptors(server, &plan) != 0)
        return -1;
    init_core(server, plan.connections);
    server->ran = true;
    if (init_visitors(server) != 0 || routes_load(server) != 0 || start_pool(server) != 0)
        return -1;
    atomic_store(&server->running, true);
    if (routes_start(server) == 0 && start_front(server, (int)plan.base) == 0)
        return 0;
    pool_stop(server->core.pool, UINT64_MAX);
    atomic_store(&server->running, false);
    return -1;
}

int weir_server_run(weir_server *server) {
    sigset_t signals;
    release_run(server);
    log_set_level((enum log_level)server->config->log.level);
    if (config_check(server->config, server->error, sizeof server->error) != 0)
        return -1;
    block_signals(&signals);
    int result = start(server);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    if (result == 0 && !serve(server))
        return 1; /* a thread still uses all this */
    routes_stop(server);
    if (result == 0)
        server_log_stopped(server);
    clear_stop(server);
    return result;
}

void weir_server_stop(weir_server *server) {
    eventfd_write(server->stop_event, 1);
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

long weir_server_broadcast(weir_server *server, const char *pattern, enum weir_opcode opcode, const void *data,
                           size_t size) {
    if (!atomic_load(&server->running))
        return WEIR_GONE;
    struct route *route = routes_find(server, pattern);
    return route == NULL ? WEIR_INVALID : broadcast_to_route(route, NULL, opcode, data, size);
}

weir_timer *weir_after(weir_server *server, uint64_t delay_ms, void (*callback)(void *arg), void *arg) {
    if (!atomic_load(&server->running))
        return NULL;
    return after_start(&server->core, delay_ms, callback, arg);
}
