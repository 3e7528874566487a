/* server.c - a server's life: it is configured, started part by part, run, and stopped in reverse order.
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

#include "server/core/broadcast.h"
#include "server/core/conn.h"
#include "server/core/user_timer.h"
#include "server/descriptors.h"
#include "server/log/log.h"
#include "server/notify.h"
#include "server/server_private.h"
#include "server/signals.h"

enum {
    REAP_INTERVAL_MS = 500,
    AFTER_DRAIN_MS = 5000 /* asked of the service manager beyond drain_timeout, for stopping the other parts */
};

/* --- Configuring ------------------------------------------------------------------------------------------- */

weir_server *weir_server_create(void) {
    weir_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->config = config_create();
    server->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mutex_init(&server->desk.mutex, ADMIN_LOCK_RANK);
    mutex_condition_init(&server->desk.answered);
    if (server->config == NULL || server->wake_event < 0) {
        weir_server_destroy(server);
        return NULL;
    }
    return server;
}

int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler, void *context) {
    const struct added_route route = {(char *)(uintptr_t)pattern, handler, context};
    return routes_add(&server->routes, server->config, &route, server->error, sizeof server->error);
}

const char *weir_server_error(const weir_server *server) {
    return server->error;
}

void weir_server_destroy(weir_server *server) {
    if (server == NULL)
        return;
    server_release_run(server);
    routes_forget_added(&server->routes);
    config_destroy(server->config);
    server_forget_steps(server);
    pthread_cond_destroy(&server->desk.answered);
    mutex_destroy(&server->desk.mutex);
    if (server->wake_event >= 0)
        close(server->wake_event);
    free(server);
}

/* --- Checking ---------------------------------------------------------------------------------------------- */

int server_check(weir_server *server) {
    struct route_table *table = routes_build(&server->routes, server->config, server->error, sizeof server->error);
    if (table != NULL)
        entrances_release(&table->entrances);
    routes_release(&server->routes);
    return table == NULL ? -1 : 0;
}

/* --- Running ----------------------------------------------------------------------------------------------- */

/* Waits until a stop or reload is wanted, at most `timeout_ms` milliseconds; -1: without limit. */
static void wait_for_wish(const weir_server *server, int timeout_ms) {
    struct pollfd event = {.fd = server->wake_event, .events = POLLIN};
    eventfd_t count;
    if (poll(&event, 1, timeout_ms) > 0)
        eventfd_read(server->wake_event, &count);
}

/* Runs until a stop is wanted. Reloads on request, and ends retired routes after their last client has left. */
static void run_until_stop(weir_server *server) {
    while (!atomic_load(&server->stop_wanted)) {
        sigset_t signals;
        signals_block(&signals); /* for threads that plug-ins start in a reload */
        if (atomic_exchange(&server->reload_wanted, false))
            server_reload(server);
        routes_reap(&server->routes);
        pthread_sigmask(SIG_SETMASK, &signals, NULL);
        wait_for_wish(server, routes_retired(&server->routes, server->table) > 0 ? REAP_INTERVAL_MS : -1);
    }
}

/* Clears requests to stop or reload, for the next run. */
static void clear_wishes(weir_server *server) {
    wait_for_wish(server, 0);
    atomic_store(&server->stop_wanted, false);
    atomic_store(&server->reload_wanted, false);
}

/* Serves until the stop, once every part has started. Returns false if a handler or a client was left behind. */
static bool serve(weir_server *server) {
    if (server->table->entrances.count == 0)
        log_event(LOG_SERVER, LOG_WARNING, "no_routes",
                  LOG_FIELDS(LOG_TEXT("note", "clients find nothing here: add a [route PATTERN] section")));
    log_event(LOG_SERVER, LOG_INFO, "ready",
              LOG_FIELDS(LOG_TEXT("version", WEIR_VERSION), LOG_TEXT("config", server->config->path),
                         LOG_NUMBER("routes", server->table->entrances.count),
                         LOG_NUMBER("workers", server->config->server.workers),
                         LOG_NUMBER("max_connections", registry_limit(&server->run->core.registry))));
    notify_ready();
    run_until_stop(server);
    server_set_reloadable(server, false);
    log_event(LOG_SERVER, LOG_INFO, "stopping",
              LOG_FIELDS(LOG_NUMBER("connections", registry_count(&server->run->core.registry))));
    notify_stopping(server_config(server)->server.drain_timeout_ms + AFTER_DRAIN_MS);
    if (!server_drain(server))
        return false;
    atomic_store(&server->running, false);
    admin_stop(server->admin);
    front_stop(server->front);
    adoption_close(&server->service.adoption);
    return true;
}

int weir_server_run(weir_server *server) {
    sigset_t signals;
    server_release_run(server);
    server_set_reloadable(server, true);
    if (config_check(server->config, server->error, sizeof server->error) != 0)
        return -1;
    signals_block(&signals);
    signals_guard_pipe();
    bool logging = server_start_log(server) == 0;
    int result = logging ? server_start(server) : -1;
    signals_restore_pipe();
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    if (result == 1 || (result == 0 && !serve(server))) {
        weir_log_flush();
        return 1; /* a thread still uses the server, so nothing is freed */
    }
    routes_end(&server->routes);
    if (result == 0)
        server_log_stopped(server);
    clear_wishes(server);
    if (logging)
        log_stop();
    return result;
}

void weir_server_stop(weir_server *server) {
    atomic_store(&server->stop_wanted, true);
    eventfd_write(server->wake_event, 1);
}

void weir_server_reload(weir_server *server) {
    atomic_store(&server->reload_wanted, true);
    eventfd_write(server->wake_event, 1);
}

/* --- For handlers ------------------------------------------------------------------------------------------ */

long weir_server_broadcast(weir_server *server, const char *pattern, enum weir_opcode opcode, const void *data,
                           size_t size) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    struct entrances *entrances = entrances_current(&server->service.doors);
    struct route *route = entrances_find(entrances, pattern);
    long accepted = route == NULL ? WEIR_INVALID : broadcast_to_route(route, NULL, opcode, data, size);
    entrances_release(entrances);
    return accepted;
}

enum weir_status weir_publish(weir_server *server, const char *channel, enum weir_opcode opcode, const void *data,
                              size_t size, weir_publish_callback *done, void *context) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    return channels_publish_message(&server->run->channels, channel, opcode, data, size, done, context);
}

enum weir_status weir_publish_json(weir_server *server, const char *channel, const void *json, size_t size,
                                   weir_publish_callback *done, void *context) {
    if (!atomic_load(&server->running))
        return WEIR_CLOSED;
    return channels_publish_json(&server->run->channels, channel, json, size, done, context);
}

weir_timer *weir_timer_start(weir_server *server, uint64_t delay_ms, uint64_t interval_ms,
                             void (*callback)(void *arg), void *arg) {
    if (!atomic_load(&server->running))
        return NULL;
    return user_timer_start(&server->run->core, delay_ms, interval_ms, callback, arg);
}
