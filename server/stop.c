/* stop.c - the end of a server: nobody new, every client closed with 1001, what handlers have said delivered.
 *
 * Three steps, each only for those whom the one before has not brought to their end: read no more, handle what has
 * been accepted, then close; close at once; give up. The last two take their time from the end of drain_timeout.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/conn.h"
#include "server/log/log.h"
#include "server/server_private.h"

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
    (void)arg;
    const struct weir_conn *conn = conn_of_handler(task);
    if (conn == NULL)
        log_event(LOG_ERROR, "left_behind", "timer=yes reason=\"a weir_after callback outlasted drain_timeout\"");
    else
        log_event(LOG_ERROR, "left_behind", "route=%s conn=%llu reason=\"its handler outlasted drain_timeout\"",
                  conn->route->pattern, (unsigned long long)conn->id);
}

bool server_drain(weir_server *server) {
    uint64_t timeout = server->config->server.drain_timeout_ms;
    uint64_t end = pool_now() + timeout;
    registry_close(&server->core.registry);
    log_event(LOG_INFO, "stopping", "connections=%u", registry_count(&server->core.registry));
    if (sweep_all(server, conn_drain, end - lesser(timeout * 3 / 10, 1500)) != 0 &&
        sweep_all(server, conn_close_now, end - lesser(timeout / 10, 500)) != 0)
        sweep_all(server, conn_abort, end);
    if (pool_stop(server->core.pool, end))
        return true;
    pool_each_running(server->core.pool, name_handler, NULL);
    return false;
}
