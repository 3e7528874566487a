/* conn_keepalive.c - pings, and the clients that answer none; idle clients. All of it belongs to the input task.
 *
 * Deadlines are looked at lazily: traffic only notes the time, and the timer, when it fires, is set to what is then
 * the next deadline. So a busy connection costs no timer operation. Time in which messages wait for their handler,
 * or in which we do not read, does not count against the client.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/core/conn_private.h"
#include "server/proto/close_code.h"

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* UINT64_MAX: there is none. */
static uint64_t next_deadline(struct weir_conn *conn) {
    const struct core *core = conn->core;
    uint64_t next = UINT64_MAX;
    if (core->ping_interval_ms != 0)
        next = conn->pinged_at != 0 ? conn->pinged_at + core->ping_timeout_ms : conn->ping_due_at;
    if (core->idle_timeout_ms != 0)
        next = earlier(next, atomic_load(&conn->message_at) + core->idle_timeout_ms);
    return next;
}

static int set_timer(struct weir_conn *conn) {
    uint64_t next = next_deadline(conn);
    if (next == UINT64_MAX)
        return 0;
    conn->wake_at = next;
    return pool_set_timer(conn->core->pool, &conn->timer, next);
}

int conn_keepalive_start(struct weir_conn *conn) {
    conn->read_at = conn->opened_at;
    conn->ping_due_at = conn->opened_at + conn->core->ping_interval_ms;
    atomic_store(&conn->message_at, conn->opened_at);
    return set_timer(conn);
}

static bool client_is_kept_waiting(struct weir_conn *conn) {
    mutex_lock(&conn->mutex);
    bool waiting = conn->input_paused || conn->draining || conn->inbox.first != NULL;
    mutex_unlock(&conn->mutex);
    return waiting;
}

static void ping(struct weir_conn *conn, uint64_t now) {
    conn->pinged_at = now;
    conn->ping_due_at = now + conn->core->ping_interval_ms;
    conn->ping_stamp = pool_now_us();
    conn_send_control(conn, OPCODE_PING, &conn->ping_stamp, sizeof conn->ping_stamp);
    conn_flush_here(conn);
}

/* Returns false if the client has not answered in time. */
static bool check_ping(struct weir_conn *conn, uint64_t now) {
    const struct core *core = conn->core;
    if (core->ping_interval_ms == 0)
        return true;
    if (conn->pinged_at != 0 && conn->read_at >= conn->pinged_at)
        conn->pinged_at = 0; /* whatever came, it is alive */
    if (conn->pinged_at != 0)
        return now < conn->pinged_at + core->ping_timeout_ms;
    if (now >= conn->ping_due_at)
        ping(conn, now);
    return true;
}

static bool is_idle(struct weir_conn *conn, uint64_t now) {
    uint64_t timeout = conn->core->idle_timeout_ms;
    return timeout != 0 && now >= atomic_load(&conn->message_at) + timeout;
}

void conn_keepalive(struct weir_conn *conn, uint64_t now) {
    if (conn->wake_at == 0 || now < conn->wake_at || atomic_load(&conn->closing))
        return;
    if (client_is_kept_waiting(conn)) {
        conn->read_at = now;
        if (conn->core->idle_timeout_ms != 0)
            atomic_store(&conn->message_at, now);
    }
    if (!check_ping(conn, now))
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "no answer to a ping");
    else if (is_idle(conn, now))
        conn_close_here(conn, CLOSE_GOING_AWAY, "idle");
    else if (set_timer(conn) != 0)
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
}

void conn_keepalive_pong(struct weir_conn *conn, const void *payload, size_t size) {
    if (size != sizeof conn->ping_stamp || conn->ping_stamp == 0 || memcmp(payload, &conn->ping_stamp, size) != 0)
        return;
    uint64_t elapsed = pool_now_us() - conn->ping_stamp;
    conn->ping_stamp = 0;
    atomic_store(&conn->round_trip_us, elapsed == 0 ? 1 : elapsed > UINT32_MAX ? UINT32_MAX : (uint32_t)elapsed);
}
