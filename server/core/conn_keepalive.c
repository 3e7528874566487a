/* conn_keepalive.c - pings, clients that do not answer them, and idle clients. All of it belongs to the input
 * task.
 *
 * Deadlines are checked lazily. Traffic only records the time; when the timer fires, it is set to the deadline
 * that is then the next. So a busy connection costs no timer operations. Time does not count against the client
 * while its messages wait for their handler, or while the server does not read.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/keepalive.h"
#include "ws/close_code.h"

/* Returns 0 if reading is not paused by a rate. */
static uint64_t conn_throttled_until(const struct weir_conn *conn) {
    return conn->throttle == NULL ? 0 : conn->throttle->until;
}

static uint64_t conn_keepalive_moment(time32 moment, uint64_t now) {
    return moment == TIME32_NONE ? KEEPALIVE_NEVER : time32_expand(moment, now);
}

static struct keepalive conn_keepalive_state(const struct weir_conn *conn, uint64_t now) {
    return (struct keepalive){.ping_due_at = time32_expand(conn->ping_due_at, now),
                              .pinged_at = conn_keepalive_moment(conn->pinged_at, now),
                              .message_at = time32_expand(atomic_load(&conn->message_at), now),
                              .stuck_at = conn_keepalive_moment(atomic_load(&conn->stuck_at), now),
                              .throttled_until = conn_throttled_until(conn)};
}

static int conn_keepalive_set_timer(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    const struct keepalive state = conn_keepalive_state(conn, now);
    uint64_t next = keepalive_next(&state, settings, now);
    if (next == UINT64_MAX) {
        conn->wake_at = TIME32_NONE;
        return 0;
    }
    conn->wake_at = time32_from(next);
    return pool_set_timer(conn_core(conn)->pool, &conn->timer, next);
}

/* Allocates what counts a client's input, if these settings limit it. Returns -1 if memory is exhausted. */
static int conn_keepalive_prepare_throttle(struct weir_conn *conn, const struct settings *settings) {
    if (conn->throttle == NULL && (settings->message_rate != 0 || settings->byte_rate != 0))
        conn->throttle = calloc(1, sizeof *conn->throttle);
    else
        return 0;
    return conn->throttle == NULL ? -1 : 0;
}

int conn_keepalive_start(struct weir_conn *conn) {
    conn->timed_by = conn_settings(conn);
    if (conn_keepalive_prepare_throttle(conn, conn->timed_by) != 0)
        return -1;
    conn->ping_due_at = time32_from(conn->opened_at + conn->timed_by->ping_interval_ms);
    atomic_store(&conn->message_at, time32_from(conn->opened_at));
    return conn_keepalive_set_timer(conn, conn->timed_by, conn->opened_at);
}

void conn_renew(struct weir_conn *conn, struct task_list *ready) {
    task_claim_into(&conn->source.input, ready);
}

static bool conn_keepalive_client_waits(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool waiting = atomic_load(&conn->pauses) != 0 || conn_is_draining(conn) || !inbox_is_empty(&conn->inbox);
    small_mutex_unlock(&conn->mutex);
    return waiting;
}

/* Called now and then: frees what a burst of messages has needed. */
static void conn_keepalive_trim(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    outbox_trim(&conn->outbox);
    small_mutex_unlock(&conn->mutex);
}

static void conn_keepalive_ping(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    conn->pinged_at = time32_from(now);
    conn->ping_due_at = time32_from(now + settings->ping_interval_ms);
    conn->ping_payload = pool_now_us();
    conn_send_control(conn, OPCODE_PING, &conn->ping_payload, sizeof conn->ping_payload);
    atomic_fetch_add_explicit(&conn_core(conn)->counters.pings, 1, memory_order_relaxed);
    conn_flush_here(conn);
}

/* Whether data waits for the client and it has taken none of it for `timeout`. A client that reads slowly may
 * leave no room for a write for a long time, but the kernel still sends some bytes: then it is stuck from now on.
 */
static bool conn_keepalive_is_stuck(struct weir_conn *conn, uint64_t timeout, uint64_t now) {
    time32 stuck_at = atomic_load(&conn->stuck_at);
    if (!keepalive_is_stuck(&(struct keepalive){.stuck_at = conn_keepalive_moment(stuck_at, now)}, timeout, now))
        return false;
    int unsent = conn->transport.kind->unsent(&conn->transport);
    if (unsent == atomic_exchange(&conn->unsent, unsent))
        return true;
    atomic_compare_exchange_strong(&conn->stuck_at, &stuck_at, time32_from(now));
    return false;
}

/* Whether our ping may still wait after data that the client is reading. */
static bool conn_keepalive_is_reading(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    small_mutex_lock(&conn->mutex);
    bool waits = !outbox_is_empty(&conn->outbox);
    small_mutex_unlock(&conn->mutex);
    return waits && !conn_keepalive_is_stuck(conn, settings->ping_timeout_ms, now);
}

/* Disconnects without a Close: nothing can be sent to the client any more. */
static void conn_keepalive_cut(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    conn->drop_inbox = true;
    conn_cut_locked(conn);
    if (conn->close_reason == NULL)
        conn->close_reason = strdup("client has taken nothing for send_timeout");
    small_mutex_unlock(&conn->mutex);
    atomic_fetch_add(&conn_core(conn)->counters.send_timed_out, 1);
    task_again(&conn->source.input);
}

/* Starts again with full buckets: what they lack is time at the old rate. */
static void conn_keepalive_restart_throttle(struct weir_conn *conn, uint64_t now) {
    if (conn->throttle != NULL)
        *conn->throttle = (struct throttle){.until = conn->throttle->until < now ? conn->throttle->until : now};
    task_again(&conn->source.input);
}

/* Applies new settings after a reload. A clock starts again if its length has changed. Returns -1 if memory is
 * exhausted. */
static int conn_keepalive_take_settings(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    if (conn_keepalive_prepare_throttle(conn, settings) != 0)
        return -1;
    if (settings->ping_interval_ms != conn->timed_by->ping_interval_ms)
        conn->ping_due_at = time32_from(now + settings->ping_interval_ms);
    if (settings->ping_interval_ms == 0)
        conn->pinged_at = TIME32_NONE;
    if (conn->timed_by->idle_timeout_ms == 0)
        atomic_store(&conn->message_at, time32_from(now)); /* it was not kept until now */
    if (settings->message_rate != conn->timed_by->message_rate || settings->byte_rate != conn->timed_by->byte_rate)
        conn_keepalive_restart_throttle(conn, now);
    conn->timed_by = settings;
    conn->wake_at = time32_from(now);
    return 0;
}

static void conn_keepalive_end_throttle(struct weir_conn *conn, uint64_t now) {
    if (conn->throttle == NULL || conn->throttle->until > now)
        return;
    conn->throttle->until = 0;
    atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_RATE);
}

/* Whether the timer must be set again. A throttle that has begun since the timer was set is also a reason. */
static bool conn_keepalive_is_due(const struct weir_conn *conn, uint64_t now) {
    if (conn_throttled_until(conn) > now)
        return conn->wake_at != time32_from(conn_throttled_until(conn));
    return conn->wake_at != TIME32_NONE && now >= time32_expand(conn->wake_at, now);
}

/* Each kind is due once at most. Returns false if that was the end of the connection. */
static bool conn_keepalive_do_due(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    for (int i = 0; i < KEEPALIVE_KINDS; i++) {
        const struct keepalive state = conn_keepalive_state(conn, now);
        switch (keepalive_due(&state, settings, now)) {
        case KEEPALIVE_NOTHING:
            return true;
        case KEEPALIVE_SEND_TIMEOUT:
            if (!conn_keepalive_is_stuck(conn, settings->send_timeout_ms, now))
                continue;
            conn_keepalive_cut(conn);
            return false;
        case KEEPALIVE_PING_TIMEOUT:
            if (conn_keepalive_is_reading(conn, settings, now)) {
                conn->pinged_at = time32_from(now);
                continue;
            }
            conn_close_here(conn, CLOSE_INTERNAL_ERROR, "no answer to a ping");
            return false;
        case KEEPALIVE_PING:
            conn_keepalive_ping(conn, settings, now);
            continue;
        case KEEPALIVE_IDLE:
            conn_close_here(conn, CLOSE_GOING_AWAY, "idle");
            return false;
        }
    }
    return true;
}

void conn_keepalive(struct weir_conn *conn, uint64_t now) {
    const struct settings *settings = conn_settings(conn);
    if (conn_is_closing(conn))
        return;
    if (settings != conn->timed_by && conn_keepalive_take_settings(conn, settings, now) != 0) {
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (!conn_keepalive_is_due(conn, now))
        return;
    conn_keepalive_trim(conn);
    if (conn_keepalive_client_waits(conn)) {
        conn->pinged_at = TIME32_NONE;
        if (settings->idle_timeout_ms != 0)
            atomic_store(&conn->message_at, time32_from(now));
    }
    conn_keepalive_end_throttle(conn, now);
    if (conn_keepalive_do_due(conn, settings, now) && conn_keepalive_set_timer(conn, settings, now) != 0)
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
}

void conn_keepalive_pong(struct weir_conn *conn, const void *payload, size_t size) {
    if (size != sizeof conn->ping_payload || conn->ping_payload == 0 ||
        memcmp(payload, &conn->ping_payload, size) != 0)
        return;
    uint64_t elapsed = pool_now_us() - conn->ping_payload;
    conn->ping_payload = 0;
    atomic_histogram_add(&conn_core(conn)->counters.round_trips, atomic_histogram_microseconds, elapsed);
    atomic_store(&conn->round_trip_us, elapsed == 0 ? 1 : elapsed > UINT32_MAX ? UINT32_MAX : (uint32_t)elapsed);
}
