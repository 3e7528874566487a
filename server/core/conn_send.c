/* conn_send.c - what goes into an outbox: messages and control frames. Nothing here makes a system call on
 * a socket; the flush task does.
 *
 * Any thread may call the public functions. What a callback sends is not flushed message by message. The thread
 * that runs the callback flushes when it returns; if it takes long, the monitor queues the flush.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/conn_private.h"
#include "server/core/turn.h"
#include "ws/close_code.h"

static enum weir_status conn_send_append_locked(struct weir_conn *conn, struct message *message) {
    if (conn_is_closing(conn))
        return WEIR_CLOSED;
    if (!conn_make_room_locked(conn, message))
        return WEIR_OVERFLOW;
    if (outbox_push(&conn->outbox, message) != 0) { /* the client must notice that it has lost a message */
        conn->drop_inbox = true;
        conn_queue_close_locked(conn, CLOSE_INTERNAL_ERROR, "out of memory");
        return WEIR_NO_MEMORY;
    }
    return WEIR_OK;
}

static void conn_send_submit(struct weir_conn *conn, struct task_list *ready) {
    pool_submit_list(conn_core(conn)->pool, ready);
}

/* Which messages were accepted, and the result of the last that was not; WEIR_OK if all were. */
struct appended {
    uint64_t accepted;
    enum weir_status result;
};

static struct appended conn_send_append_all_locked(struct weir_conn *conn, struct message *const *messages,
                                                   unsigned count) {
    struct appended appended = {0, WEIR_OK};
    for (unsigned i = 0; i < count && appended.result != WEIR_CLOSED; i++) {
        enum weir_status result = conn_send_append_locked(conn, messages[i]);
        if (result == WEIR_OK)
            appended.accepted |= UINT64_C(1) << i;
        else
            appended.result = result;
    }
    if (appended.accepted != 0)
        conn_note_backlog_locked(conn, NULL);
    return appended;
}

/* The flush task looks at the outbox under the connection's mutex, as task_claim_after_lock() requires. */
static void conn_send_claim_flush_into(struct weir_conn *conn, struct task_list *ready) {
    if (task_claim_after_lock(&conn->source.flush))
        task_list_push(ready, &conn->source.flush);
}

static struct appended conn_send_append_all(struct weir_conn *conn, struct message *const *messages, unsigned count,
                                            struct task_list *ready) {
    conn_stop_corking(conn);
    small_mutex_lock(&conn->mutex);
    struct appended appended = conn_send_append_all_locked(conn, messages, count);
    small_mutex_unlock(&conn->mutex);
    bool any = appended.accepted != 0;
    if (any && conn_settings(conn)->idle_timeout_ms != 0)
        atomic_store(&conn->message_at, time32_from(pool_now()));
    bool lost = appended.result == WEIR_OVERFLOW || appended.result == WEIR_NO_MEMORY;
    bool closes = lost && conn_is_closing(conn);
    if (closes)
        task_claim_into(&conn->source.input, ready);
    if (any)
        memory_limit_check(conn_core(conn));
    if ((any || appended.result == WEIR_OVERFLOW || closes) && !conn_is_handling_here(conn))
        conn_send_claim_flush_into(conn, ready);
    return appended;
}

enum weir_status conn_append(struct weir_conn *conn, struct message *message, struct task_list *ready) {
    return conn_send_append_all(conn, &message, 1, ready).result;
}

uint64_t conn_append_all(struct weir_conn *conn, struct message *const *messages, unsigned count,
                         struct task_list *ready) {
    return conn_send_append_all(conn, messages, count, ready).accepted;
}

void conn_send_control(struct weir_conn *conn, uint8_t opcode, const void *payload, size_t size) {
    struct message *message = message_create(opcode, payload, size);
    conn_stop_corking(conn);
    small_mutex_lock(&conn->mutex);
    if (message != NULL)
        message->is_reply = true;
    enum weir_status result = message == NULL ? WEIR_NO_MEMORY : conn_send_append_locked(conn, message);
    if (result == WEIR_NO_MEMORY)
        conn_cut_locked(conn);
    small_mutex_unlock(&conn->mutex);
    if (result != WEIR_OK)
        message_release(message);
}

/* Takes over the reference. `size` is that of the payload. */
static inline __attribute__((always_inline)) enum weir_status send_message(struct weir_conn *conn,
                                                                           struct message *message, size_t size) {
    if (!message->is_reply) /* the one in hand is a reply already, and another thread may be using it */
        message->is_reply = true;
    struct task_list ready = {0};
    enum weir_status result = conn_append(conn, message, &ready);
    if (result == WEIR_OK)
        traffic_sent(&conn->route->traffic, 1, size);
    else
        message_release(message);
    conn_send_submit(conn, &ready);
    return result;
}

static inline __attribute__((always_inline)) enum weir_status
conn_send_valid(struct weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size) {
    if (conn_is_closing(conn))
        return WEIR_CLOSED;
    if (conn_cork_reply(conn, (uint8_t)opcode, data, size)) {
        traffic_sent(&conn->route->traffic, 1, size);
        return WEIR_OK;
    }
    struct message *message =
        conn_deflate(conn->compression_threshold, conn_send_bits(conn), (uint8_t)opcode, data, size);
    if (message == NULL)
        message = conn_wrap_current((uint8_t)opcode, data, size);
    if (message == NULL)
        message = message_create((uint8_t)opcode, data, size);
    if (message == NULL) {
        conn_close_here(conn, CLOSE_INTERNAL_ERROR, "out of memory");
        return WEIR_NO_MEMORY;
    }
    return send_message(conn, message, size);
}

enum weir_status conn_send(struct weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size) {
    return conn_send_valid(conn, opcode, data, size);
}

enum weir_status weir_conn_send(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size) {
    return conn_message_is_valid(opcode, data, size) ? conn_send_valid(conn, opcode, data, size) : WEIR_INVALID;
}

/* A smaller message is copied, which costs less than a vector of its own. */
enum { OWNED_MIN = 16384 };

/* Returns a message that has taken the data over; NULL if the data must be copied. */
static struct message *conn_send_take_over(struct weir_conn *conn, enum weir_opcode opcode, void *data, size_t size,
                                           void (*free_data)(void *data)) {
    if (size < OWNED_MIN || conn_is_closing(conn))
        return NULL;
    struct message *message =
        conn_deflate(conn->compression_threshold, conn_send_bits(conn), (uint8_t)opcode, data, size);
    if (message == NULL)
        return message_create_split((uint8_t)opcode, data, size, free_data);
    free_data(data);
    return message;
}

enum weir_status weir_conn_send_owned(weir_conn *conn, enum weir_opcode opcode, void *data, size_t size,
                                      void (*free_data)(void *data)) {
    bool valid = conn_message_is_valid(opcode, data, size);
    struct message *message = valid ? conn_send_take_over(conn, opcode, data, size, free_data) : NULL;
    if (message != NULL)
        return send_message(conn, message, size);
    enum weir_status status = valid ? conn_send_valid(conn, opcode, data, size) : WEIR_INVALID;
    free_data(data);
    return status;
}
