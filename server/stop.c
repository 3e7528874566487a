/* stop.c - the end of a server: nobody new, every client closed with 1001, what handlers have said delivered.
 *
 * Three steps, each only for those whom the one before has not brought to their end: read no more, handle what has
 * been accepted, then close; close at once; give up. The last two take their time from the end of drain_timeout.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "server/core/conn.h"
#include "server/log/log.h"
#include "server/server_private.h"

enum { MOMENT_MS = 250 };

typedef void close_step(struct weir_conn *conn, struct task_list *ready);

struct sweep {
    close_step *step;
    struct task_list ready;
};

static void sweep_one(struct weir_conn *conn, void *arg) {
    struct sweep *sweep = arg;
    sweep->step(conn, &sweep->ready);
}

static unsigned sweep_all(weir_server *server, close_step *step, uint64_t until) {
    struct sweep sweep = {.step = step};
    registry_each(&server->core.registry, NULL, sweep_one, &sweep);
    pool_submit_list(server->core.pool, &sweep.ready);
    return registry_wait_empty(&server->core.registry, until);
}

static uint64_t lesser(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void name_handler(struct task *task, void *arg) {
    ++*(unsigned *)arg;
    const struct weir_conn *conn = conn_of_handler(task);
    if (conn == NULL)
        log_event(LOG_ERROR, "left_behind", "timer=yes reason=\"a weir_after callback outlasted drain_timeout\"");
    else
        log_event(LOG_ERROR, "left_behind", "route=%s conn=%llu reason=\"its handler outlasted drain_timeout\"",
                  conn->route->pattern, (unsigned long long)conn->id);
}

/* A moment for tasks that are no handlers to end, whatever the timeout. */
static uint64_t at_least_a_moment(uint64_t end) {
    uint64_t moment = pool_now() + MOMENT_MS;
    return end > moment ? end : moment;
}

bool server_drain(weir_server *server) {
    struct registry *registry = &server->core.registry;
    uint64_t timeout = server->config->server.drain_timeout_ms;
    uint64_t end = pool_now() + timeout;
    registry_close(registry);
    log_event(LOG_INFO, "stopping", "connections=%u", registry_count(registry));
    if (sweep_all(server, conn_drain, end - lesser(timeout * 3 / 10, 1500)) != 0 &&
        sweep_all(server, conn_close_now, end - lesser(timeout / 10, 500)) != 0)
        sweep_all(server, conn_abort, at_least_a_moment(end));
    unsigned left = registry_count(registry);
    if (pool_stop(server->core.pool, at_least_a_moment(end)) && left == 0)
        return true;
    unsigned handlers = 0;
    pool_each_running(server->core.pool, name_handler, &handlers);
    snprintf(server->error, sizeof server->error, "drain_timeout: %u handlers and %u clients were left behind",
             handlers, left);
    return false;
}
