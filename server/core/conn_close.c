/* conn_close.c - how our side closes: with a Close after what waits, after a drain, or without one. Any thread may
 * call these. The input task does the rest (conn_end.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/core/conn_private.h"
#include "ws/close_code.h"

static bool conn_close_push_locked(struct weir_conn *conn, struct message *message) {
    if (message != NULL && outbox_push(&conn->outbox, message) == 0)
        return true;
    message_release(message);
    return false;
}

bool conn_queue_close_locked(struct weir_conn *conn, unsigned code, const char *reason) {
    small_mutex_check_held(&conn->mutex);
    if (conn_is_closing(conn))
        return false;
    conn_enter_locked(conn, conn_state(conn) == CONN_CUT ? CONN_CLOSE_CUT : CONN_CLOSE_SENT);
    if (!conn_close_push_locked(conn, message_create_close(code, reason)))
        conn_cut_locked(conn);
    conn->close_code = (uint16_t)code;
    free(conn->close_reason); /* set by send_timeout, if the client is just being cut off */
    conn->close_reason = *reason == '\0' ? NULL : strdup(reason);
    return true;
}

/* Closes from our side. What the client has sent and no callback has handled is dropped. Returns whether this
 * Close is the first. */
static bool conn_close_and_claim(struct weir_conn *conn, unsigned code, const char *reason,
                                 struct task_list *ready) {
    small_mutex_lock(&conn->mutex);
    bool first = conn_queue_close_locked(conn, code, reason);
    conn->drop_inbox = conn->drop_inbox || first;
    small_mutex_unlock(&conn->mutex);
    if (!first)
        return false;
    if (!conn_is_handling_here(conn))
        task_claim_into(&conn->source.flush, ready);
    task_claim_into(&conn->source.input, ready); /* to stop reading messages, and to start the close timeout */
    return true;
}

bool conn_close_here(struct weir_conn *conn, unsigned code, const char *reason) {
    struct task_list ready = {0};
    bool first = conn_close_and_claim(conn, code, reason, &ready);
    pool_submit_list(conn_core(conn)->pool, &ready);
    return first;
}

void conn_end_drain(struct weir_conn *conn) {
    const struct core *core = conn_core(conn);
    if (core->on_drained != NULL)
        core->on_drained(conn);
    conn_close_here(conn, CLOSE_GOING_AWAY, "server is stopping");
}

void conn_close_at_start(struct weir_conn *conn, unsigned code, const char *reason) {
    small_mutex_lock(&conn->mutex);
    conn_queue_close_locked(conn, code, reason);
    small_mutex_unlock(&conn->mutex);
}

void conn_send_away(struct weir_conn *conn, const char *reason, struct task_list *ready) {
    conn_close_and_claim(conn, CLOSE_GOING_AWAY, reason, ready);
}

void conn_close_now(struct weir_conn *conn, struct task_list *ready) {
    conn_send_away(conn, "server is stopping", ready);
}

void conn_drain(struct weir_conn *conn, struct task_list *ready) {
    small_mutex_lock(&conn->mutex);
    conn_begin_drain_locked(conn);
    small_mutex_unlock(&conn->mutex);
    task_claim_into(&conn->source.input, ready);
}

void conn_abort(struct weir_conn *conn, struct task_list *ready) {
    small_mutex_lock(&conn->mutex);
    conn->drop_inbox = true;
    conn_cut_locked(conn);
    small_mutex_unlock(&conn->mutex);
    task_claim_into(&conn->source.input, ready);
}

enum weir_status weir_conn_close(weir_conn *conn, unsigned code, const char *reason) {
    const char *text = reason == NULL ? "" : reason;
    size_t size = strlen(text);
    if (!close_code_sendable(code) || size > CLOSE_REASON_MAX || !utf8_valid((const uint8_t *)text, size))
        return WEIR_INVALID;
    return conn_close_here(conn, code, text) ? WEIR_OK : WEIR_CLOSED;
}
