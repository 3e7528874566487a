/* conn_gate.c - whether a connection may be read now: not while its inbox or its replies have reached their limit,
 * a channel cannot take more, or it sends too fast. The input task asks before each read; other tasks end the
 * pauses.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/conn_input.h"
#include "ws/close_code.h"

/* --- Pauses ------------------------------------------------------------------------------------------------- */

/* Returns whether the inbox or the replies have reached their limit. */
static bool conn_gate_pause_for_backlog_locked(struct weir_conn *conn) {
    const struct settings *settings = conn_settings(conn);
    bool full = conn->inbox.bytes >= settings->inbox_size || conn->outbox.reply_bytes > settings->send_buffer_soft;
    bool paused = (atomic_load(&conn->pauses) & CONN_PAUSE_BACKLOG) != 0;
    if (full && !paused)
        atomic_fetch_or(&conn->pauses, CONN_PAUSE_BACKLOG);
    else if (!full && paused)
        atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_BACKLOG);
    return full;
}

void conn_resume_locked(struct weir_conn *conn, struct task_list *ready) {
    small_mutex_check_held(&conn->mutex);
    conn_note_backlog_locked(conn, ready);
    if (conn->outbox.reply_bytes > conn_settings(conn)->send_buffer_soft / 2)
        return;
    if (conn->handler_paused) {
        conn->handler_paused = false;
        task_claim_into(&conn->handler, ready);
    }
    if ((atomic_load(&conn->pauses) & CONN_PAUSE_BACKLOG) != 0 &&
        conn->inbox.bytes <= conn_settings(conn)->inbox_size / 2) {
        atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_BACKLOG);
        task_claim_into(&conn->source.input, ready);
    }
}

bool conn_stop_reading(struct weir_conn *conn) {
    return (atomic_fetch_or(&conn->pauses, CONN_PAUSE_CHANNEL) & CONN_PAUSE_CHANNEL) == 0;
}

void conn_read_on(struct weir_conn *conn, struct task_list *ready) {
    atomic_fetch_and(&conn->pauses, (uint8_t)~CONN_PAUSE_CHANNEL);
    task_claim_into(&conn->source.input, ready);
}

/* --- The gate ----------------------------------------------------------------------------------------------- */

static enum conn_gate conn_gate_locked(struct weir_conn *conn) {
    if (conn_is_cut(conn))
        return CONN_GATE_END;
    if (conn_is_closing(conn))
        return CONN_GATE_CLOSING;
    if (!conn_gate_pause_for_backlog_locked(conn) && (atomic_load(&conn->pauses) & CONN_PAUSE_CHANNEL) == 0)
        return CONN_GATE_READ;
    return atomic_load(&conn->source.broken) ? CONN_GATE_END : CONN_GATE_WAIT;
}

enum conn_gate conn_gate_pass(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    enum conn_gate gate = conn_gate_locked(conn);
    small_mutex_unlock(&conn->mutex);
    if (gate != CONN_GATE_CLOSING)
        return gate;
    decoder_discard(&conn->decoder);
    uint64_t now = pool_now();
    if (!conn->close_awaited) {
        uint64_t until = now + conn_settings(conn)->close_timeout_ms;
        conn->close_awaited = true;
        conn->wake_at = time32_from(until);
        return pool_set_timer(conn_core(conn)->pool, &conn->timer, until) == 0 ? gate : CONN_GATE_END;
    }
    return now >= time32_expand(conn->wake_at, now) ? CONN_GATE_END : gate;
}

/* --- Rates -------------------------------------------------------------------------------------------------- */

static bool conn_gate_rate_counts(const struct weir_conn *conn) {
    const struct settings *settings = conn_settings(conn);
    return conn->throttle != NULL && (settings->message_rate != 0 || settings->byte_rate != 0) &&
           conn_state(conn) == CONN_OPEN && !atomic_load(&conn->source.broken);
}

bool conn_gate_is_within_rate(struct weir_conn *conn) {
    struct throttle *throttle = conn->throttle;
    if (!conn_gate_rate_counts(conn))
        return true;
    uint64_t now = pool_now_us();
    uint64_t wait = token_bucket_wait(&throttle->messages, now),
             wait_bytes = token_bucket_wait(&throttle->bytes, now);
    wait = wait > wait_bytes ? wait : wait_bytes;
    if (wait == 0)
        return true;
    if (conn_settings(conn)->rate_policy == RATE_CLOSE) {
        if (conn_close_here(conn, CLOSE_POLICY, "client sends too fast"))
            atomic_fetch_add(&conn_core(conn)->counters.rate_limited, 1);
        return true;
    }
    throttle->until = pool_now() + wait / 1000 + 1;
    atomic_fetch_or(&conn->pauses, CONN_PAUSE_RATE);
    return false;
}
