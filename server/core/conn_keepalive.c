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
#include "ws/close_code.h"

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Returns 0 if reading is not paused by a rate. */
static uint64_t throttled_until(const struct weir_conn *conn) {
    return conn->throttle == NULL ? 0 : conn->throttle->until;
}

/* Returns UINT64_MAX if there is no deadline. */
static uint64_t next_deadline(struct weir_conn *conn, uint64_t now) {
    const struct settings *settings = conn_settings(conn);
    uint64_t next = UINT64_MAX;
    uint64_t ping_due_at = stamp_time(conn->ping_due_at, now);
    if (settings->ping_interval_ms != 0 && (conn->pinged_at == STAMP_NONE || ping_due_at > now))
        next = ping_due_at;
    if (conn->pinged_at != STAMP_NONE)
        next = earlier(next, stamp_time(conn->pinged_at, now) + settings->ping_timeout_ms);
    if (settings->idle_timeout_ms != 0)
        next = earlier(next, stamp_time(atomic_load(&conn->message_at), now) + settings->idle_timeout_ms);
    if (settings->send_timeout_ms != 0) {
        stamp stuck_at = atomic_load(&conn->stuck_at);
        next =
            earlier(next, (stuck_at == STAMP_NONE ? now : stamp_time(stuck_at, now)) + settings->send_timeout_ms);
    }
    if (throttled_until(conn) > now)
        next = earlier(next, throttled_until(conn));
    return next;
}

static int set_timer(struct weir_conn *conn, uint64_t now) {
    uint64_t next = next_deadline(conn, now);
    if (next == UINT64_MAX) {
        conn->wake_at = STAMP_NONE;
        return 0;
    }
    conn->wake_at = stamp_at(next);
    return pool_set_timer(conn_core(conn)->pool, &conn->timer, next);
}

/* Allocates what counts a client's input, if these settings limit it. Returns -1 if memory is exhausted. */
static int prepare_throttle(struct weir_conn *conn, const struct settings *settings) {
    if (conn->throttle == NULL && (settings->message_rate != 0 || settings->byte_rate != 0))
        conn->throttle = calloc(1, sizeof *conn->throttle);
    else
        return 0;
    return conn->throttle == NULL ? -1 : 0;
}

int conn_keepalive_start(struct weir_conn *conn) {
    conn->timed_by = conn_settings(conn);
    if (prepare_throttle(conn, conn->timed_by) != 0)
        return -1;
    conn->ping_due_at = stamp_at(conn->opened_at + conn->timed_by->ping_interval_ms);
    atomic_store(&conn->message_at, stamp_at(conn->opened_at));
    return set_timer(conn, conn->opened_at);
}

void conn_start_idle_clock(struct weir_conn *conn, struct task_list *ready) {
    (void)ready;
    atomic_store(&conn->message_at, stamp_at(pool_now()));
}

void conn_renew(struct weir_conn *conn, struct task_list *ready) {
    task_claim_into(&conn->source.input, ready);
}

static bool client_is_kept_waiting(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    bool waiting = atomic_load(&conn->pauses) != 0 || conn_is_draining(conn) || !inbox_is_empty(&conn->inbox);
    latch_unlock(&conn->latch);
    return waiting;
}

/* Called now and then: frees what a burst of messages has needed. */
static void trim(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    outbox_trim(&conn->outbox);
    latch_unlock(&conn->latch);
}

static void ping(struct weir_conn *conn, uint64_t now) {
    conn->pinged_at = stamp_at(now);
    conn->ping_due_at = stamp_at(now + conn_settings(conn)->ping_interval_ms);
    conn->ping_payload = pool_now_us();
    conn_send_control(conn, OPCODE_PING, &conn->ping_payload, sizeof conn->ping_payload);
    atomic_fetch_add_explicit(&conn_core(conn)->counters.pings, 1, memory_order_relaxed);
    conn_flush_here(conn);
}

/* Whether data waits for the client and it has taken none of it for `timeout`. A client that reads slowly may
 * leave no room for a write for a long time, but the kernel still sends some bytes. */
static bool is_stuck(struct weir_conn *conn, uint64_t now, uint64_t timeout) {
    stamp stuck_at = atomic_load(&conn->stuck_at);
    if (timeout == 0 || stuck_at == STAMP_NONE || now < stamp_time(stuck_at, now) + timeout)
        return false;
    int unsent = conn->transport.kind->unsent(&conn->transport);
    if (unsent == atomic_exchange(&conn->unsent, unsent))
        return true;
    atomic_compare_exchange_strong(&conn->stuck_at, &stuck_at, stamp_at(now));
    return false;
}

/* Whether our ping may still wait after data that the client is reading. */
static bool is_reading(struct weir_conn *conn, uint64_t now) {
    latch_lock(&conn->latch);
    bool waits = !outbox_is_empty(&conn->outbox);
    latch_unlock(&conn->latch);
    return waits && !is_stuck(conn, now, conn_settings(conn)->ping_timeout_ms);
}

/* Returns false if the client has not answered in time. */
static bool check_ping(struct weir_conn *conn, uint64_t now) {
    const struct settings *settings = conn_settings(conn);
    if (settings->ping_interval_ms == 0)
        return true;
    if (conn->pinged_at != STAMP_NONE && now >= stamp_time(conn->pinged_at, now) + settings->ping_timeout_ms) {
        if (!is_reading(conn, now))
            return false;
        conn->pinged_at = stamp_at(now);
    }
    if (conn->pinged_at != STAMP_NONE)
        return true;
    if (now >= stamp_time(conn->ping_due_at, now))
        ping(conn, now);
    return true;
}

static bool is_idle(struct weir_conn *conn, uint64_t now) {
    uint64_t timeout = conn_settings(conn)->idle_timeout_ms;
    return timeout != 0 && now >= stamp_time(atomic_load(&conn->message_at), now) + timeout;
}

/* Disconnects without a Close: nothing can be sent to the client any more. */
static void cut_off(struct weir_conn *conn) {
    latch_lock(&conn->latch);
    conn->drop_inbox = true;
    conn_cut_locked(conn);
    if (conn->close_reason == NULL)
        conn->close_reason = strdup("client has taken nothing for send_timeout");
    latch_unlock(&conn->latch);
    atomic_fetch_add(&conn_core(conn)->counters.send_timed_out, 1);
    task_again(&conn->source.input);
}

/* Starts again with empty buckets: what they hold is time at the old rate. */
static void restart_throttle(struct weir_conn *conn, uint64_t now) {
    if (conn->throttle != NULL)
        *conn->throttle = (struct throttle){.until = earlier(conn->throttle->until, now)};
    task_again(&conn->source.input);
}

/* Applies new settings after a reload. A clock starts again if its length has changed. Returns -1 if memory is
 * exhausted. */
static int take_new_settings(struct weir_conn *conn, const struct settings *settings, uint64_t now) {
    if (prepare_throttle(conn, settings) != 0)
        return -1;
    if (settings->ping_interval_ms != conn->timed_by->ping_interval_ms)
        conn->ping_due_at = stamp_at(now + settings->ping_interval_ms);
    if (settings->ping_interval_ms == 0)
        conn->pinged_at = STAMP_NONE;
    if (settings->message_rate != conn->timed_by->message_rate || settings->byte_rate != conn->timed_by->byte_rate)
        restart_throttle(conn, now);
    conn->timed_by = settings;
    conn->wake_at = stamp_at(now);
    return 0;
}

static void end_throttle(struct weir_conn *conn, uint64_t now) {
    if (conn->throttle == NULL || conn->throttle->until > now)
        return;
    conn->throttle->until = 0;
    atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_RATE);
}

/* Whether the timer must be set again. A throttle that has begun since the timer was set is also a reason. */
static bool is_due(const struct weir_conn *conn, uint64_t now) {
    if (throttled_until(conn) > now)
        return conn->wake_at != stamp_at(throttled_until(conn));
    return conn->wake_at != STAMP_NONE && now >= stamp_time(conn->wake_at, now);
}

void conn_keepalive(struct weir_conn *conn, uint64_t now) {
    const struct settings *settings = conn_settings(conn);
    if (conn_is_closing(conn))
        return;
    if (settings != conn->timed_by && take_new_settings(conn, settings, now) != 0) {
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (!is_due(conn, now))
        return;
    trim(conn);
    if (client_is_kept_waiting(conn)) {
        conn->pinged_at = STAMP_NONE;
        if (settings->idle_timeout_ms != 0)
            atomic_store(&conn->message_at, stamp_at(now));
    }
    end_throttle(conn, now);
    if (is_stuck(conn, now, settings->send_timeout_ms))
        cut_off(conn);
    else if (!check_ping(conn, now))
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "no answer to a ping");
    else if (is_idle(conn, now))
        conn_close_here(conn, CLOSE_GOING_AWAY, "idle");
    else if (set_timer(conn, now) != 0)
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
}

void conn_keepalive_pong(struct weir_conn *conn, const void *payload, size_t size) {
    if (size != sizeof conn->ping_payload || conn->ping_payload == 0 ||
        memcmp(payload, &conn->ping_payload, size) != 0)
        return;
    uint64_t elapsed = pool_now_us() - conn->ping_payload;
    conn->ping_payload = 0;
    buckets_add(&conn_core(conn)->counters.round_trips, buckets_microseconds, elapsed);
    atomic_store(&conn->round_trip_us, elapsed == 0 ? 1 : elapsed > UINT32_MAX ? UINT32_MAX : (uint32_t)elapsed);
}
