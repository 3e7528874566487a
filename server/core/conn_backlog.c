/* conn_backlog.c - what waits for a client that reads slowly: how much it is, what happens when it is too much
 * (slow_consumer, memory_limit), and when it has become little again (drained). Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "ws/close_code.h"

/* --- Too much ---------------------------------------------------------------------------------------------- */

/* Closes a client that leaves too much unread. Drops what has not begun to leave. */
static void conn_backlog_disconnect_locked(struct weir_conn *conn, const char *reason) {
    outbox_drop_unsent(&conn->outbox);
    conn->drop_inbox = true;
    conn->drop_outbox = true;
    conn_queue_close_locked(conn, CLOSE_TRY_AGAIN_LATER, reason);
}

/* The overhead of the new message itself (OUTBOX_MESSAGE_OVERHEAD) does not count. So a message as large as the
 * limit can be sent, and what waits may exceed the limit by one overhead. */
static bool conn_backlog_fits(const struct weir_conn *conn, size_t size) {
    return conn->outbox.bytes + size <= conn_settings(conn)->send_buffer_hard;
}

static void conn_backlog_drop_oldest_locked(struct weir_conn *conn, size_t size) {
    unsigned dropped = 0;
    while (!conn_backlog_fits(conn, size) && outbox_drop_oldest(&conn->outbox))
        dropped++;
    conn->dropped += dropped;
    thread_counter_add(&conn_core(conn)->counters.dropped, dropped);
}

/* Where messages are dropped, control frames are not. They are few, since pongs count as replies. */
bool conn_make_room_locked(struct weir_conn *conn, const struct message *message) {
    small_mutex_check_held(&conn->mutex);
    size_t size = message->size;
    if (conn_backlog_fits(conn, size))
        return true;
    if (atomic_load(&conn->route->slow_consumer) == SLOW_CONSUMER_DISCONNECT) {
        conn_backlog_disconnect_locked(conn, "client reads too slowly");
        atomic_fetch_add(&conn_core(conn)->counters.slow_disconnected, 1);
        return false;
    }
    if (message_is_control(message))
        return true;
    if (atomic_load(&conn->route->slow_consumer) == SLOW_CONSUMER_DROP_OLDEST &&
        size <= conn_settings(conn)->send_buffer_hard)
        conn_backlog_drop_oldest_locked(conn, size);
    if (conn_backlog_fits(conn, size))
        return true;
    conn->dropped++;
    thread_counter_add(&conn_core(conn)->counters.dropped, 1);
    return false;
}

/* What the connection holds until its end in addition to messages. */
static size_t conn_backlog_state_memory_locked(const struct weir_conn *conn) {
    return conn_text_memory(conn) + memory_of_block(conn->headers) +
           (size_t)conn->subscription_count * CONN_SUBSCRIPTION_COST;
}

size_t conn_memory(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool closing = conn_is_closing(conn);
    size_t bytes = conn->outbox.bytes + conn->inbox.bytes + conn_backlog_state_memory_locked(conn);
    small_mutex_unlock(&conn->mutex);
    return closing ? 0 : bytes + atomic_load(&conn->partial);
}

size_t conn_memory_leaving(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    size_t bytes = conn_is_closing(conn) ? conn_backlog_state_memory_locked(conn) : 0;
    if (conn->drop_outbox && conn->outbox.in_flight > 0)
        bytes += conn->outbox.bytes;
    small_mutex_unlock(&conn->mutex);
    return bytes;
}

bool conn_close_for_memory(struct weir_conn *conn, struct task_list *ready) {
    small_mutex_lock(&conn->mutex);
    bool closes = !conn_is_closing(conn);
    if (closes) {
        conn_backlog_disconnect_locked(conn, "server is short of memory");
        inbox_release(&conn->inbox);
        atomic_fetch_add(&conn_core(conn)->counters.memory_limited, 1);
    }
    small_mutex_unlock(&conn->mutex);
    if (closes) {
        task_claim_into(&conn->source.flush, ready);
        task_claim_into(&conn->source.input, ready);
    }
    return closes;
}

/* --- Little again ------------------------------------------------------------------------------------------ */

size_t weir_conn_buffered(weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    size_t bytes = conn->outbox.bytes;
    small_mutex_unlock(&conn->mutex);
    return bytes + conn_corked_size(conn);
}

void conn_note_backlog_locked(struct weir_conn *conn, struct task_list *ready) {
    small_mutex_check_held(&conn->mutex);
    size_t soft = conn_settings(conn)->send_buffer_soft;
    if (conn->outbox.bytes > soft)
        conn->over_soft = true;
    if (ready == NULL || !conn->over_soft || conn->outbox.bytes > soft / 2)
        return;
    conn->over_soft = false;
    if (conn->route->handler->drained == NULL)
        return;
    conn->drained_due = true;
    task_claim_into(route_never_blocks(conn->route) ? &conn->source.input : &conn->handler, ready);
}

bool conn_takes_drained(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool due = conn->drained_due && !conn_is_closing(conn);
    conn->drained_due = false;
    small_mutex_unlock(&conn->mutex);
    return due;
}
