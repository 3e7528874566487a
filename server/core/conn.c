/* conn.c - creates, starts and frees a connection, and answers what handlers may ask about it. See conn.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "server/log/log.h"

/* --- References -------------------------------------------------------------------------------------------- */

static void conn_destroy(struct weir_conn *conn) {
    outbox_release(&conn->outbox);
    inbox_release(&conn->inbox);
    decoder_release(&conn->decoder);
    conn_release_zlib_state(conn);
    memory_uncount_block(conn->headers);
    free(conn->headers);
    free(conn->close_reason);
    free(conn->throttle);
    memory_count(-(int64_t)conn_text_memory(conn));
    route_release(conn->route); /* may release the core too, if this is the last handle */
    free(conn);
}

weir_conn *weir_conn_retain(weir_conn *conn) {
    atomic_fetch_add_explicit(&conn->references, 1, memory_order_relaxed);
    return conn;
}

void weir_conn_release(weir_conn *conn) {
    if (atomic_fetch_sub_explicit(&conn->references, 1, memory_order_acq_rel) == 1)
        conn_destroy(conn);
}

/* --- Birth ------------------------------------------------------------------------------------------------- */

static void conn_init_tasks(struct weir_conn *conn) {
    task_init(&conn->source.input, &conn_input_kind);
    task_init(&conn->source.flush, &conn_flush_kind);
    task_init(&conn->handler, &conn_handler_kind);
    timer_init(&conn->timer, &conn->source.input);
}

static int conn_make_zlib_state(struct weir_conn *conn) {
    if (!conn->deflate.enabled || (!conn->deflate.server_takeover && !conn->deflate.client_takeover))
        return 0;
    conn->zlib = calloc(1, sizeof *conn->zlib);
    return conn->zlib == NULL ? -1 : 0;
}

struct weir_conn *conn_create(struct route *route, const struct transport *transport,
                              const struct conn_request *request, const void *response, size_t response_size) {
    struct weir_conn *conn =
        conn_text_fits(request) ? calloc(1, offsetof(struct weir_conn, text) + conn_text_size(request)) : NULL;
    if (conn == NULL)
        return NULL;
    memory_count((int64_t)conn_text_memory(conn));
    small_mutex_init(&conn->mutex, CONN_LOCK_RANK);
    conn->route = route;
    route_retain(route);
    conn->transport = *transport;
    conn->limited_address = request->limited_address;
    conn->data = request->data;
    conn->deflate = request->deflate;
    conn->compression_threshold = (uint32_t)conn_settings(conn)->compression_threshold;
    conn->decoder.deflate = request->deflate.enabled;
    conn->opened_at = pool_now();
    conn->references = 1;
    conn_init_tasks(conn);
    conn_text_fill(conn, request);
    struct message *message = message_create_raw(response, response_size);
    bool stored = message != NULL && outbox_push(&conn->outbox, message) == 0;
    conn->outbox.sent_wire -= response_size;
    outbox_commit(&conn->outbox); /* it leaves even if so much follows it that the client is disconnected */
    if (!stored)
        message_release(message);
    stored = stored && conn_make_zlib_state(conn) == 0;
    if (stored && route->handler->open != NULL) {
        conn->headers = conn_text_copy_headers(request);
        stored = conn->headers != NULL;
        memory_count_block(conn->headers);
    }
    if (!stored) {
        conn_destroy(conn);
        return NULL;
    }
    return conn;
}

/* Ends a connection that could not be made live: no callback has been called for it, and none will be. */
static void conn_abandon(struct weir_conn *conn) {
    struct registry *registry = &conn_core(conn)->registry;
    conn_end_transport(conn);
    address_limiter_leave(&conn_core(conn)->address_limiter, conn->limited_address, pool_now());
    weir_conn_release(conn);
    registry_leave(registry);
}

/* Watches the descriptor first, because a broadcast that finds the connection may have to wait for room in the
 * socket. */
static int conn_make_visible(struct weir_conn *conn) {
    struct core *core = conn_core(conn);
    if (pool_watch(core->pool, &conn->source, conn->transport.fd) != 0)
        return -1;
    if (conn_keepalive_start(conn) == 0 && registry_add(&core->registry, conn) == 0)
        return 0;
    pool_cancel_timer(core->pool, &conn->timer);
    pool_unwatch(core->pool, &conn->source, conn->transport.fd);
    return -1;
}

static void conn_log_open(const struct weir_conn *conn) {
    log_event(LOG_CONN, LOG_DEBUG, "open",
              LOG_FIELDS(LOG_NUMBER("conn", conn->id), LOG_TEXT("peer", weir_conn_peer(conn)),
                         LOG_TEXT("client", conn_string(conn, conn->client)),
                         LOG_TEXT("route", conn->route->pattern), LOG_TEXT("path", conn->text)));
}

int conn_start(struct weir_conn *conn) {
    struct pool *pool = conn_core(conn)->pool;
    task_begin(&conn->source.input); /* no other thread can end the connection before this is over */
    int result = conn_make_visible(conn);
    if (result != 0) {
        conn_abandon(conn);
    } else {
        conn_log_open(conn);
        bool never_blocks = route_never_blocks(conn->route);
        if (never_blocks)
            conn_call_open(conn); /* so its subscriptions are in force when the client has read its 101 */
        conn_flush_here(conn);
        memory_limit_check(conn_core(conn)); /* for a long path or many headers */
        if (!never_blocks && conn->route->handler->open != NULL)
            pool_submit(pool, &conn->handler);
        if (conn_state(conn) != CONN_OPEN || conn->timed_by != conn_settings(conn))
            task_again(&conn->source.input);
    }
    pool_finish(pool, &conn->source.input);
    return result;
}

/* --- What handlers may ask --------------------------------------------------------------------------------- */

bool weir_conn_is_open(const weir_conn *conn) {
    return !conn_is_closing(conn);
}

uint64_t weir_conn_id(const weir_conn *conn) {
    return conn->id;
}

long weir_conn_round_trip(const weir_conn *conn) {
    uint32_t microseconds = atomic_load(&conn->round_trip_us);
    return microseconds == 0 ? -1 : (long)microseconds;
}

void weir_conn_set_data(weir_conn *conn, void *data) {
    conn->data = data;
}

void *weir_conn_data(const weir_conn *conn) {
    return conn->data;
}

weir_server *weir_conn_server(const weir_conn *conn) {
    return conn_core(conn)->server;
}
