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

#include "server/core/conn.h"
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
    server_forget_addresses(server);
    server->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mutex_init(&server->reloads.mutex, ADMIN_LOCK_RANK);
    mutex_condition_init(&server->reloads.answered);
    if (server->config == NULL || server->wake_event < 0) {
        weir_server_destroy(server);
        return NULL;
    }
    return server;
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
    server_forget_addresses(server);
    pthread_cond_destroy(&server->reloads.answered);
    mutex_destroy(&server->reloads.mutex);
    if (server->wake_event >= 0)
        close(server->wake_event);
    free(server);
}

/* --- Checking ---------------------------------------------------------------------------------------------- */

int server_check(weir_server *server) {
    struct route_table *table = routes_build(&server->routes, server->config, server->error, sizeof server->error);
    if (table != NULL)
        route_entries_release(&table->entries);
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

static void announce_ready(weir_server *server) {
    if (server->table->entries.count == 0)
        log_event(LOG_SERVER, LOG_WARNING, "no_routes",
                  LOG_FIELDS(LOG_TEXT("note", "clients find nothing here: add a [route PATTERN] section")));
    log_event(LOG_SERVER, LOG_INFO, "ready",
              LOG_FIELDS(LOG_TEXT("version", WEIR_VERSION), LOG_TEXT("config", server->config->path),
                         LOG_NUMBER("routes", server->table->entries.count),
                         LOG_NUMBER("workers", server->config->server.workers),
                         LOG_NUMBER("max_connections", registry_limit(&server->run->core.registry))));
    notify_ready();
    if (server->ready != NULL)
        server->ready(server, &server->addresses, server->ready_context);
}

/* Stops every part. Returns false if a handler or a client was left behind. */
static bool end_serving(weir_server *server) {
    server_set_reloadable(server, false);
    log_event(LOG_SERVER, LOG_INFO, "stopping",
              LOG_FIELDS(LOG_NUMBER("connections", registry_count(&server->run->core.registry))));
    notify_stopping(server_config(server)->server.drain_timeout_ms + AFTER_DRAIN_MS);
    if (!server_drain(server))
        return false;
    atomic_store(&server->running, false);
    admin_stop(server->admin);
    http_server_stop(server->public_listener);
    return true;
}

/* Ends a run whose parts have all stopped. */
static void end_run(weir_server *server, bool clean, bool logging) {
    routes_end(&server->routes);
    if (clean)
        server_log_stopped(server);
    clear_wishes(server);
    if (logging)
        log_stop();
}

void weir_server_on_ready(weir_server *server, weir_ready_callback *ready, void *context) {
    server->ready = ready;
    server->ready_context = context;
}

int weir_server_start(weir_server *server) {
    sigset_t signals;
    server_release_run(server);
    server_forget_addresses(server);
    server_set_reloadable(server, true);
    if (config_check(server->config, server->error, sizeof server->error) != 0)
        return -1;
    signals_block(&signals);
    signals_guard_pipe();
    bool logging = server_start_log(server) == 0;
    int result = logging ? server_start(server) : -1;
    signals_restore_pipe();
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    server->started = result == 0;
    if (result == 0)
        announce_ready(server);
    else if (result < 0)
        end_run(server, false, logging);
    else
        weir_log_flush();
    return result;
}

int weir_server_wait(weir_server *server) {
    if (!server->started) {
        snprintf(server->error, sizeof server->error, "the server has not been started");
        return -1;
    }
    run_until_stop(server);
    server->started = false;
    if (!end_serving(server)) {
        weir_log_flush();
        return 1; /* a thread still uses the server, so nothing is freed */
    }
    end_run(server, true, true);
    return 0;
}

int weir_server_run(weir_server *server) {
    int result = weir_server_start(server);
    return result == 0 ? weir_server_wait(server) : result;
}

void weir_server_stop(weir_server *server) {
    atomic_store(&server->stop_wanted, true);
    eventfd_write(server->wake_event, 1);
}

void weir_server_reload(weir_server *server) {
    atomic_store(&server->reload_wanted, true);
    eventfd_write(server->wake_event, 1);
}
