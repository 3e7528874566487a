/* conn_handler.c - the handler task: calls open, message, drained and close, one after the other, with a permit.
 * What the callbacks send leaves when they return.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/turn.h"
#include "server/log/log.h"
#include "ws/buffer.h"
#include "ws/close_code.h"

enum { TURN_MESSAGES = 16 };

/* A smaller message is copied, which costs less than keeping its buffer. The buffer may have room for many such
 * messages, which the send buffer's limits do not count, and would stay as long as the client does not read. */
enum { WRAPPED_MIN = 4096 };

bool conn_is_handling_here(const struct weir_conn *conn) {
    return turn.callback.conn == conn && !pool_is_stalled();
}

struct weir_conn *conn_in_turn(void) {
    return pool_is_deferring() ? turn.callback.conn : NULL;
}

/* --- The callbacks ----------------------------------------------------------------------------------------- */

/* Callbacks that never block are not timed, because timing would cost more than they do. */
static uint64_t conn_handler_enter(struct weir_conn *conn, const char *name) {
    turn.callback.name = name;
    turn.callback.conn = conn;
    return route_never_blocks(conn->route) ? 0 : pool_now_us();
}

static void conn_handler_leave(struct weir_conn *conn, uint64_t begun) {
    turn.callback.conn = NULL;
    turn.callback.name = NULL;
    if (begun != 0)
        atomic_histogram_add(&conn->route->handling, atomic_histogram_microseconds, pool_now_us() - begun);
}

void conn_call_open(struct weir_conn *conn) {
    const struct route *route = conn->route;
    conn->opened = true;
    if (route->handler->open != NULL) {
        uint64_t begun = conn_handler_enter(conn, "open");
        route->handler->open(conn, route->context);
        conn_handler_leave(conn, begun);
    }
    conn_drop_headers(conn);
}

void conn_call_message(struct weir_conn *conn, struct payload *payload) {
    const struct route *route = conn->route;
    if (route->handler->message == NULL)
        return;
    thread_counter_add(&conn_core(conn)->counters.handled, 1);
    turn.message = payload;
    uint64_t begun = conn_handler_enter(conn, "message");
    route->handler->message(conn, (enum weir_opcode)payload->opcode, payload->data, payload->size, route->context);
    conn_handler_leave(conn, begun);
    turn.message = NULL;
    if (turn.wrapped == NULL)
        return;
    message_release(turn.wrapped);
    turn.wrapped = NULL;
}

struct message *conn_wrap_current(uint8_t opcode, const void *data, size_t size) {
    if (size < WRAPPED_MIN || !turn_is_current(data, size))
        return NULL;
    if (turn.wrapped == NULL && turn.message->buffer != NULL) {
        turn.wrapped = message_wrap(opcode, turn.message->buffer, size);
        if (turn.wrapped == NULL)
            return NULL;
        payload_take(turn.message);
        turn.wrapped->is_reply = true;
    }
    return turn.wrapped != NULL && turn.wrapped->opcode == opcode ? message_retain(turn.wrapped) : NULL;
}

void conn_call_drained(struct weir_conn *conn) {
    const struct route *route = conn->route;
    if (route->handler->drained == NULL || !conn_takes_drained(conn))
        return;
    uint64_t begun = conn_handler_enter(conn, "drained");
    route->handler->drained(conn, route->context);
    conn_handler_leave(conn, begun);
}

/* More statistics for the line that reports a connection's end. */
struct tally {
    bool by_peer;
    unsigned dropped;
    uint64_t messages_out, payload_out, wire_out;
};

/* Logs the access line. What a client may make long stands at its end. */
static void conn_handler_log_close(const struct weir_conn *conn, unsigned code, const char *reason,
                                   const struct tally *tally) {
    const char *by = tally->by_peer ? "client" : code == CLOSE_ABNORMAL ? "nobody" : "server";
    log_event(LOG_ACCESS, LOG_INFO, "close",
              LOG_FIELDS(LOG_NUMBER("conn", conn->id), LOG_TEXT("peer", weir_conn_peer(conn)),
                         LOG_TEXT("client", conn_string(conn, conn->client)), LOG_NUMBER("code", code),
                         LOG_TEXT("by", by), LOG_NUMBER("duration_ms", pool_now() - conn->opened_at),
                         LOG_NUMBER("messages_in", conn->messages_in), LOG_NUMBER("payload_in", conn->payload_in),
                         LOG_NUMBER("wire_in", conn->wire_in), LOG_NUMBER("messages_out", tally->messages_out),
                         LOG_NUMBER("payload_out", tally->payload_out), LOG_NUMBER("wire_out", tally->wire_out),
                         LOG_COUNT("dropped", tally->dropped), LOG_TEXT("route", conn->route->pattern),
                         LOG_TEXT("path", conn->text), LOG_TEXT("reason", reason),
                         LOG_TEXT("subprotocol", weir_conn_subprotocol(conn)),
                         LOG_TEXT("user", weir_conn_user(conn)),
                         LOG_TEXT("user_agent", conn_string(conn, conn->user_agent))));
}

void conn_call_close(struct weir_conn *conn) {
    const struct route *route = conn->route;
    struct registry *registry = &conn_core(conn)->registry;
    small_mutex_lock(&conn->mutex); /* nothing changes these any more; the lock makes them visible to this thread */
    unsigned code = conn->close_code;
    const char *reason = conn->close_reason == NULL ? "" : conn->close_reason;
    const struct tally tally = {.by_peer = conn->closed_by_peer,
                                .dropped = conn->dropped,
                                .messages_out = conn->outbox.sent_messages,
                                .payload_out = conn->outbox.sent_payload,
                                .wire_out = conn->outbox.sent_wire};
    small_mutex_unlock(&conn->mutex);
    if (!conn->opened)
        conn_call_open(conn);
    if (route->handler->close != NULL) {
        uint64_t begun = conn_handler_enter(conn, "close");
        route->handler->close(conn, code, reason, route->context);
        conn_handler_leave(conn, begun);
    }
    atomic_fetch_add(&conn_core(conn)->counters.closed[close_class(code)], 1);
    conn_handler_log_close(conn, code, reason, &tally);
    address_limiter_leave(&conn_core(conn)->address_limiter, conn->limited_address, pool_now());
    weir_conn_release(conn);
    registry_leave(registry);
}

/* --- The inbox --------------------------------------------------------------------------------------------- */

void conn_put_in_inbox(struct weir_conn *conn, struct payload *payload) {
    if (payload->opcode == 0)
        return;
    struct inbox_item *item = inbox_item_create(payload);
    payload->opcode = 0;
    small_mutex_lock(&conn->mutex);
    if (item == NULL)
        conn_cut_locked(conn);
    else
        inbox_push(&conn->inbox, item);
    small_mutex_unlock(&conn->mutex);
    memory_limit_check(conn_core(conn));
    pool_submit(conn_core(conn)->pool, item == NULL ? &conn->source.input : &conn->handler);
}

static struct inbox_item *conn_handler_next_locked(struct weir_conn *conn) {
    if (conn->drop_inbox)
        inbox_release(&conn->inbox);
    conn->handler_paused =
        !conn_is_closing(conn) && conn->outbox.reply_bytes > conn_settings(conn)->send_buffer_soft;
    return conn->handler_paused ? NULL : inbox_pop(&conn->inbox);
}

/* Returns the next waiting message, or NULL if none waits or too many replies do. */
static struct inbox_item *conn_handler_next(struct weir_conn *conn) {
    struct task_list ready = {0};
    small_mutex_lock(&conn->mutex);
    struct inbox_item *item = conn_handler_next_locked(conn);
    conn_resume_locked(conn, &ready);
    small_mutex_unlock(&conn->mutex);
    pool_submit_list(conn_core(conn)->pool, &ready);
    return item;
}

/* --- The task ---------------------------------------------------------------------------------------------- */

/* Returns true if there may be more. A handler that takes long handles one message per turn. */
static bool conn_handler_inbox(struct weir_conn *conn, uint64_t until) {
    for (int messages = 0; messages < TURN_MESSAGES && (messages == 0 || pool_now_us() < until); messages++) {
        struct inbox_item *item = conn_handler_next(conn);
        if (item == NULL)
            return false;
        conn_call_message(conn, &item->payload);
        inbox_item_destroy(item);
    }
    return true;
}

/* Does what an empty inbox makes due. Returns true if the close callback is due. */
static bool conn_handler_after_inbox(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool empty = inbox_is_empty(&conn->inbox);
    bool drained = empty && conn_state(conn) == CONN_DRAINED;
    bool over = empty && conn_state(conn) == CONN_ENDED;
    small_mutex_unlock(&conn->mutex);
    if (drained)
        conn_end_drain(conn);
    return over;
}

static bool conn_handler_drops_inbox(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool drops = conn->drop_inbox;
    small_mutex_unlock(&conn->mutex);
    return drops;
}

void conn_handle(struct weir_conn *conn, struct payload *first) {
    uint64_t until = pool_now_us() + CONN_TURN_US;
    if (!conn->opened)
        conn_call_open(conn);
    conn_call_drained(conn);
    if (first != NULL) {
        if (!conn_handler_drops_inbox(conn))
            conn_call_message(conn, first);
        payload_release(first);
    }
    if (conn_handler_inbox(conn, until))
        task_again(&conn->handler);
    else if (conn_handler_after_inbox(conn) && !conn->finished) {
        conn->finished = true;
        conn_call_close(conn);
    }
    conn_flush_here(conn);
    pool_finish(conn_core(conn)->pool, &conn->handler);
}

static void conn_handler_run(struct task *task) {
    conn_handle(conn_of_handler(task), NULL);
}

static void conn_handler_retain(struct task *task) {
    weir_conn_retain(CONN_OF(task, handler));
}

static void conn_handler_release(struct task *task) {
    weir_conn_release(CONN_OF(task, handler));
}

static struct concurrency_limit *conn_handler_concurrency(struct task *task) {
    return &CONN_OF(task, handler)->route->concurrency;
}

static struct task *conn_handler_on_stall(struct task *task) {
    return &CONN_OF(task, handler)->source.flush;
}

struct weir_conn *conn_of_handler(struct task *task) {
    return task_kind(task) == &conn_handler_kind ? CONN_OF(task, handler) : NULL;
}

const struct task_kind conn_handler_kind = {.queue = TASK_HANDLER,
                                            .run = conn_handler_run,
                                            .retain = conn_handler_retain,
                                            .release = conn_handler_release,
                                            .concurrency = conn_handler_concurrency,
                                            .on_stall = conn_handler_on_stall};
