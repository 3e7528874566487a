/* conn_input.c - the input task: reads what has arrived, has it decoded, and hands the last message on. It alone
 * ends a connection.
 *
 * If the handler never blocks, a message is handled where it was read. Otherwise the last message of a turn is
 * also handled in place, if a permit is free and nothing waits before it. The input task is given back first, so
 * that another thread can read on while the handler blocks. All other messages are copied to the inbox.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/conn_input.h"

#include <errno.h>

/* --- Reading ----------------------------------------------------------------------------------------------- */

/* Whether a draining connection has read once more and decoded everything that was read. */
static bool conn_input_has_read_last(const struct weir_conn *conn) {
    return conn->read_last && conn->pending == NULL;
}

enum read_result { READ_DONE, READ_MORE, READ_EOF, READ_FAILED };

struct read {
    uint8_t *bytes;
    size_t room;
    ssize_t result;
    bool in_place; /* the bytes are the message's own memory */
};

/* Handles what a read has returned. Returns READ_MORE if it is worth reading again. With an edge-triggered poller
 * the kernel does not report the same data twice. So a short read is the last one only if no end of the stream has
 * been announced. */
static enum read_result conn_input_take(struct weir_conn *conn, struct read *read, struct conn_reading *reading) {
    size_t size = (size_t)read->result;
    conn->wire_in += size;
    conn->pinged_at = TIME32_NONE; /* whatever has come, the client is alive */
    uint64_t byte_rate = conn_settings(conn)->byte_rate;
    if (byte_rate != 0 && conn->throttle != NULL)
        token_bucket_take(&conn->throttle->bytes, size, byte_rate, pool_now_us());
    if (read->in_place)
        conn_decode_in_place(conn, size, reading);
    else if (conn_state(conn) < CONN_CLOSE_RECEIVED && !conn_decode(conn, read->bytes, size, reading))
        return READ_FAILED;
    bool last = size < read->room && conn->pending == NULL && !atomic_load(&conn->source.hangup);
    return last && !conn_is_closing(conn) ? READ_DONE : READ_MORE;
}

/* Reads once, into the message's own memory if the decoder has room there, otherwise into the thread's. */
static enum read_result conn_input_read_once(struct weir_conn *conn, struct conn_reading *reading) {
    struct read read = {.room = CONN_READ_SIZE};
    read.bytes = decoder_room(&conn->decoder, &conn_settings(conn)->limits, &read.room);
    read.in_place = read.bytes != NULL;
    if (!read.in_place)
        read.bytes = pool_scratch();
    bool draining = conn_is_draining(conn);
    read.result = conn->transport.kind->read(&conn->transport, read.bytes, read.room);
    if (read.result < 0 && errno == EINTR)
        return READ_MORE;
    conn->read_last = draining;
    if (read.result > 0)
        return conn_input_take(conn, &read, reading);
    if (read.result == 0)
        return READ_EOF;
    return errno == EAGAIN || errno == EWOULDBLOCK ? READ_DONE : READ_FAILED;
}

/* Reads until the socket is empty, the gate closes, or others should have their turn. */
static enum read_result conn_input_read(struct weir_conn *conn, struct conn_reading *reading) {
    for (int reads = 0; reads < CONN_TURN_READS && !reading->over; reads++) {
        enum conn_gate gate = conn_gate_pass(conn);
        if (gate == CONN_GATE_END || gate == CONN_GATE_WAIT)
            return gate == CONN_GATE_END ? READ_FAILED : READ_DONE;
        if ((gate == CONN_GATE_READ && conn_input_has_read_last(conn)) || !conn_gate_is_within_rate(conn))
            return READ_DONE;
        if (conn->pending != NULL) {
            if (!conn_decode_pending(conn, reading))
                return READ_FAILED;
            continue;
        }
        conn_put_in_inbox(conn, &reading->last); /* it may lie where the next bytes go */
        enum read_result result = conn_input_read_once(conn, reading);
        if (result != READ_MORE)
            return result;
    }
    return READ_MORE;
}

/* --- Handing on -------------------------------------------------------------------------------------------- */

/* In a drain: from here on the handler knows of everything that the reader has read. */
static void conn_input_end_drain(struct weir_conn *conn) {
    if (!conn_input_has_read_last(conn)) /* if it drains later, the task is claimed for that */
        return;
    small_mutex_lock(&conn->mutex);
    bool drained = conn_state(conn) == CONN_DRAINING;
    if (drained)
        conn_enter_locked(conn, CONN_DRAINED);
    small_mutex_unlock(&conn->mutex);
    if (!drained)
        return;
    if (route_never_blocks(conn->route))
        conn_end_drain(conn);
    else
        pool_submit(conn_core(conn)->pool, &conn->handler);
}

static bool conn_input_nothing_waits(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    bool empty = inbox_is_empty(&conn->inbox);
    small_mutex_unlock(&conn->mutex);
    return empty;
}

/* Takes the handler's task and a permit for the last message. If either is not available now, the message goes to
 * the inbox. */
static bool conn_input_enter_handler(struct weir_conn *conn, struct payload *last) {
    if (last->opcode == 0)
        return false;
    if (!task_begin(&conn->handler)) {
        conn_put_in_inbox(conn, last);
        return false;
    }
    if (conn_input_nothing_waits(conn) && pool_enter_handler(&conn->handler))
        return true;
    conn_put_in_inbox(conn, last);
    pool_finish(conn_core(conn)->pool, &conn->handler);
    return false;
}

static void conn_input_finish(struct weir_conn *conn, enum read_result result, uint64_t now, struct payload *last) {
    struct pool *pool = conn_core(conn)->pool;
    conn_flush_here(conn);
    conn_keepalive(conn, now);
    if (result == READ_MORE)
        task_again(&conn->source.input);
    bool entered = conn_input_enter_handler(conn, last);
    conn_input_end_drain(conn);
    pool_finish(pool, &conn->source.input);
    if (entered)
        conn_handle(conn, last);
}

static void conn_input_turn(struct weir_conn *conn) {
    struct conn_reading reading = {.began = pool_now_us()};
    pool_defer();
    conn_cork(conn);
    enum read_result result = conn_input_read(conn, &reading);
    pool_submit_deferred(conn_core(conn)->pool);
    conn_decode_count_memory(conn);
    if (result == READ_DONE || result == READ_MORE) {
        conn_input_finish(conn, result, reading.began / 1000, &reading.last);
        return;
    }
    conn_put_in_inbox(conn, &reading.last);
    if (result == READ_FAILED)
        conn_drop_corked(conn);
    if (result == READ_FAILED || !conn_end_awaits_close(conn))
        conn_end(conn);
    pool_finish(conn_core(conn)->pool, &conn->source.input);
}

static void conn_input_run(struct task *task) {
    struct weir_conn *conn = CONN_OF(task, source.input);
    if (conn_state(conn) == CONN_ENDED) {
        pool_finish(conn_core(conn)->pool, task);
        return;
    }
    if (route_never_blocks(conn->route))
        conn_call_drained(conn);
    conn_input_turn(conn);
}

static void conn_input_retain(struct task *task) {
    weir_conn_retain(CONN_OF(task, source.input));
}

static void conn_input_release(struct task *task) {
    weir_conn_release(CONN_OF(task, source.input));
}

const struct task_kind conn_input_kind = {
    .queue = TASK_IO, .run = conn_input_run, .retain = conn_input_retain, .release = conn_input_release};
