/* stop.c - stops a server: admits no new client, delivers what handlers have sent, and closes every client with
 * 1001.
 *
 * It takes three steps, each for the connections that are left after the one before:
 *  1. read once more, handle all that has been read, then close;
 *  2. close at once;
 *  3. cut the connection.
 * The first step is spread over drain_window, in the order of the registry; a client whose turn has not come is
 * served as before. The last two steps take their time from the end of drain_timeout.
 *
 * All of it runs on the thread that runs the server. It sleeps only in registry_wait_empty(), which returns as soon
 * as the last client has left.
 *
 * SPDX-License-Identifier: MIT
 */
#include <limits.h>
#include <stdio.h>

#include "server/core/conn.h"
#include "server/core/user_timer.h"
#include "server/log/log.h"
#include "server/server_private.h"
#include "server/sweep.h"

/* CLIENT_MS: the spread takes at most so long for each client, so that few clients do not take all of drain_window.
 */
enum { MOMENT_MS = 250, SPREAD_STEP_MS = 10, CLIENT_MS = 1 };

/* Takes the step for all connections. Returns the number of clients left at `until`. */
static unsigned close_all(weir_server *server, sweep_step *step, uint64_t until) {
    sweep_all(&server->run->core, step);
    return registry_wait_empty(&server->run->core.registry, until);
}

static uint64_t lesser(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Drains the connections in even portions. A late portion includes what has become due meanwhile. If clients leave
 * on their own, the spread ends sooner. */
static void drain_spread(weir_server *server) {
    const struct config_server *config = &server_config(server)->server;
    struct registry *registry = &server->run->core.registry;
    uint64_t clients = registry_count(registry);
    uint64_t window = lesser(lesser(config->drain_window_ms, clients * CLIENT_MS), config->drain_timeout_ms / 2);
    uint64_t start = pool_now(), now = start, told = 0;
    uint32_t position = 0;
    for (; now + SPREAD_STEP_MS < start + window; now = pool_now()) {
        uint64_t due = clients * (now - start + SPREAD_STEP_MS) / window;
        unsigned portion = due > told ? (unsigned)(due - told) : 0;
        unsigned visited = sweep_some(&server->run->core, conn_drain, &position, portion);
        told += visited;
        if (visited < portion || registry_wait_empty(registry, now + SPREAD_STEP_MS) == 0)
            return;
    }
    sweep_some(&server->run->core, conn_drain, &position, UINT_MAX);
}

static unsigned drain_all(weir_server *server, uint64_t until) {
    drain_spread(server);
    return registry_wait_empty(&server->run->core.registry, until);
}

static void name_handler(struct task *task, uint64_t held_ms, void *arg) {
    ++*(unsigned *)arg;
    const struct weir_conn *conn = conn_of_handler(task);
    if (conn == NULL)
        log_event(LOG_SERVER, LOG_ERROR, "left_behind",
                  LOG_FIELDS(LOG_BOOLEAN("timer", true), LOG_NUMBER("held_ms", held_ms),
                             LOG_TEXT("reason", "a callback of weir_timer_start() outlasted drain_timeout")));
    else
        log_event(LOG_SERVER, LOG_ERROR, "left_behind",
                  LOG_FIELDS(LOG_TEXT("route", conn->route->pattern), LOG_NUMBER("conn", conn->id),
                             LOG_NUMBER("held_ms", held_ms),
                             LOG_TEXT("reason", "its handler outlasted drain_timeout")));
}

/* Returns `end`, or later: tasks other than handlers always get 250 ms to end. */
static uint64_t at_least_a_moment(uint64_t end) {
    uint64_t moment = pool_now() + MOMENT_MS;
    return end > moment ? end : moment;
}

/* Closes the remaining connections at once, and cuts those that are left at `cut`. */
static void hurry(weir_server *server, unsigned left, uint64_t cut, uint64_t end) {
    log_event(LOG_SERVER, LOG_WARNING, "drain_timeout",
              LOG_FIELDS(LOG_NUMBER("connections", left),
                         LOG_TEXT("note", "they are closed now; messages that were not handled yet are dropped")));
    if (close_all(server, conn_close_now, cut) != 0)
        close_all(server, conn_abort, at_least_a_moment(end));
}

bool server_drain(weir_server *server) {
    struct registry *registry = &server->run->core.registry;
    uint64_t timeout = server_config(server)->server.drain_timeout_ms;
    uint64_t end = pool_now() + timeout;
    registry_close(registry);
    unsigned left = drain_all(server, end - lesser(timeout * 3 / 10, 1500));
    if (left != 0)
        hurry(server, left, end - lesser(timeout / 10, 500), end);
    left = registry_count(registry);
    bool stopped = pool_stop(server->run->core.pool, at_least_a_moment(end));
    if (stopped)
        user_timers_end(&server->run->core);
    if (stopped && left == 0)
        return true;
    unsigned handlers = 0;
    pool_each_running(server->run->core.pool, name_handler, &handlers);
    snprintf(server->error, sizeof server->error, "drain_timeout: %u handlers and %u clients were left behind",
             handlers, left);
    return false;
}

void server_log_stopped(const weir_server *server) {
    const struct counters *counters = &server->run->core.counters;
    log_event(LOG_SERVER, LOG_INFO, "stopped",
              LOG_FIELDS(LOG_BOOLEAN("clean", true),
                         LOG_NUMBER("handled", (uint64_t)thread_counter_sum(&counters->handled)),
                         LOG_COUNT("dropped", (uint64_t)thread_counter_sum(&counters->dropped)),
                         LOG_COUNT("slow_disconnected", atomic_load(&counters->slow_disconnected)),
                         LOG_COUNT("memory_shed", atomic_load(&counters->memory_limited)),
                         LOG_COUNT("send_timed_out", atomic_load(&counters->send_timed_out)),
                         LOG_COUNT("rate_limited", atomic_load(&counters->rate_limited))));
}
