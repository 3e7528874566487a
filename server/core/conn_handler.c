/* conn_handler.c - the handler task: calls open, message and close, one after the other, in a slot. What these send
 * leaves when they return.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_private.h"
#include "server/log/log.h"
#include "server/proto/close_code.h"

enum { TURN_MESSAGES = 16 };

static _Thread_local const struct weir_conn *handling;

bool conn_is_handling_here(const struct weir_conn *conn) {
    return handling == conn && !pool_is_stalled();
}

/* --- The callbacks ----------------------------------------------------------------------------------------- */

void conn_call_open(struct weir_conn *conn) {
    const struct route *route = conn->route;
    conn->opened = true;
    if (route->handler->open != NULL) {
        handling = conn;
        route->handler->open(conn, route->context);
        handling = NULL;
    }
    free(conn->headers);
    conn->headers = NULL;
}

void conn_call_message(struct weir_conn *conn, uint8_t opcode, const uint8_t *data, size_t size) {
    const struct route *route = conn->route;
    if (route->handler->message == NULL)
        return;
    striped_add(&conn->core->counters.handled, 1);
    handling = conn;
    route->handler->message(conn, (enum weir_opcode)opcode, data, size, route->context);
    handling = NULL;
}

void conn_call_drained(struct weir_conn *conn) {
    const struct route *route = conn->route;
    if (route->handler->drained == NULL || !conn_takes_drained(conn))
        return;
    handling = conn;
    route->handler->drained(conn, route->context);
    handling = NULL;
}

static void log_close(struct weir_conn *conn, unsigned code, const char *reason, bool by_peer, unsigned dropped) {
    if (!log_enabled(LOG_INFO))
        return;
    char quoted[4 * CLOSE_REASON_MAX + 3];
    const char *by = by_peer ? "client" : code == CLOSE_ABNORMAL ? "nobody" : "server";
    char losses[32] = "";
    if (dropped > 0)
        snprintf(losses, sizeof losses, " dropped=%u", dropped);
    log_event(LOG_INFO, "close", "conn=%llu peer=%s route=%s code=%u reason=%s by=%s duration_ms=%llu%s",
              (unsigned long long)conn->id, conn->peer, conn->route->pattern, code,
              log_quote(reason, quoted, sizeof quoted), by, (unsigned long long)(pool_now() - conn->opened_at),
              losses);
}

void conn_call_close(struct weir_conn *conn) {
    const struct route *route = conn->route;
    struct registry *registry = &conn->core->registry;
    mutex_lock(&conn->mutex); /* nothing changes them any more: this is for the eyes of this thread */
    unsigned code = conn->close_code;
    const char *reason = conn->close_reason == NULL ? "" : conn->close_reason;
    bool by_peer = conn->closed_by_peer;
    unsigned dropped = conn->dropped;
    mutex_unlock(&conn->mutex);
    if (!conn->opened)
        conn_call_open(conn);
    if (route->handler->close != NULL)
        route->handler->close(conn, code, reason, route->context);
    log_close(conn, code, reason, by_peer, dropped);
    visitors_leave(&conn->core->visitors, conn->visitor, pool_now());
    weir_release(conn);
    registry_leave(registry);
}

/* --- The inbox --------------------------------------------------------------------------------------------- */

void conn_hold(struct weir_conn *conn, struct held_message *held) {
    if (held->opcode == 0)
        return;
    struct inbox_item *item = inbox_item_create(held->opcode, held->data, held->size, held->heap);
    *held = (struct held_message){0};
    mutex_lock(&conn->mutex);
    if (item == NULL)
        conn->send_failed = true;
    else
        inbox_push(&conn->inbox, item);
    mutex_unlock(&conn->mutex);
    shed_check(conn->core);
    pool_submit(conn->core->pool, item == NULL ? &conn->input : &conn->handler);
}

static struct inbox_item *next_locked(struct weir_conn *conn) {
    if (conn->drop_inbox)
        inbox_release(&conn->inbox);
    conn->handler_paused = !atomic_load(&conn->closing) && conn->outbox.reply_bytes > conn->core->send_buffer_soft;
    return conn->handler_paused ? NULL : inbox_pop(&conn->inbox);
}

/* The next message that waits; NULL if none does, or if too many replies wait. */
static struct inbox_item *next_message(struct weir_conn *conn) {
    struct task_list ready = {0};
    mutex_lock(&conn->mutex);
    struct inbox_item *item = next_locked(conn);
    conn_resume_locked(conn, &ready);
    mutex_unlock(&conn->mutex);
    pool_submit_list(conn->core->pool, &ready);
    return item;
}

/* --- The task ---------------------------------------------------------------------------------------------- */

/* Returns true if there may be more. */
static bool handle_inbox(struct weir_conn *conn) {
    for (int messages = 0; messages < TURN_MESSAGES; messages++) {
        struct inbox_item *item = next_message(conn);
        if (item == NULL)
            return false;
        conn_call_message(conn, item->opcode, item->data, item->size);
        inbox_item_destroy(item);
    }
    return true;
}

/* What an empty inbox leaves to do. Returns true if the close callback is due. */
static bool settle(struct weir_conn *conn) {
    mutex_lock(&conn->mutex);
    bool empty = conn->inbox.first == NULL;
    bool drained = empty && conn->input_stopped && !atomic_load(&conn->closing);
    bool over = empty && conn->ended;
    mutex_unlock(&conn->mutex);
    if (drained)
        conn_close_here(conn, CLOSE_GOING_AWAY, "server is stopping");
    return over;
}

static bool drops_inbox(struct weir_conn *conn) {
    mutex_lock(&conn->mutex);
    bool drops = conn->drop_inbox;
    mutex_unlock(&conn->mutex);
    return drops;
}

void conn_handle(struct weir_conn *conn, struct held_message *first) {
    if (!conn->opened)
        conn_call_open(conn);
    conn_call_drained(conn);
    if (first != NULL) {
        if (!drops_inbox(conn))
            conn_call_message(conn, first->opcode, first->data, first->size);
        free(first->heap);
    }
    if (handle_inbox(conn))
        task_again(&conn->handler);
    else if (settle(conn) && !conn->finished) {
        conn->finished = true;
        conn_call_close(conn);
    }
    conn_flush_here(conn);
    pool_finish(conn->core->pool, &conn->handler);
}

static void handler_run(struct task *task) {
    conn_handle(conn_of_handler(task), NULL);
}

static void handler_retain(struct task *task) {
    weir_retain(CONN_OF(task, handler));
}

static void handler_release(struct task *task) {
    weir_release(CONN_OF(task, handler));
}

static struct lane *handler_lane(struct task *task) {
    return &CONN_OF(task, handler)->route->lane;
}

static struct task *handler_on_stall(struct task *task) {
    return &CONN_OF(task, handler)->flush;
}

struct weir_conn *conn_of_handler(struct task *task) {
    return task->kind == &conn_handler_kind ? CONN_OF(task, handler) : NULL;
}

const struct task_kind conn_handler_kind = {.queue = TASK_HANDLER,
                                            .run = handler_run,
                                            .retain = handler_retain,
                                            .release = handler_release,
                                            .lane = handler_lane,
                                            .on_stall = handler_on_stall};
