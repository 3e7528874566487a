/* conn_replies.c - the replies of a handler that never blocks to the messages of one turn. They are gathered as
 * frames in memory of the thread, and written from there. So a short reply to a client that reads costs no
 * allocation and no lock.
 *
 * From the first reply on, the gathering thread has the connection's flush task, so no other thread sends
 * meanwhile. The first message that must go to the outbox, from any thread, ends the gathering: later messages go
 * there too, and leave after it. What the socket does not take is put at the front of the outbox, as the messages
 * that it would have been.
 *
 * Gathered replies belong to the thread that runs the input task. Any thread may query and send: on another thread
 * nothing is gathered.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/core/conn_private.h"
#include "ws/frame.h"

struct replies {
    struct weir_conn *conn;
    bool owns_flush; /* from the first reply on: this thread has the connection's flush task */
    bool over;       /* the outbox has a message that the next reply would overtake */
    uint32_t count;
    size_t size, payload_size;
    uint8_t bytes[];
};

enum { REPLIES_SIZE = CONN_SCRATCH_SIZE - CONN_READ_SIZE - sizeof(struct replies) };

/* Lies in the scratch memory, after the bytes read; NULL: nothing is gathered. */
static _Thread_local struct replies *gathered;

static struct replies *replies_of(const struct weir_conn *conn) {
    return gathered != NULL && gathered->conn == conn ? gathered : NULL;
}

void conn_gather(struct weir_conn *conn) {
    if (!route_never_blocks(conn->route) || conn->deflate.enabled)
        return;
    gathered = (struct replies *)((char *)pool_scratch() + CONN_READ_SIZE);
    *gathered = (struct replies){.conn = conn};
}

void conn_stop_gathering(const struct weir_conn *conn) {
    struct replies *replies = replies_of(conn);
    if (replies != NULL)
        replies->over = true;
}

bool conn_is_gathering(const struct weir_conn *conn) {
    const struct replies *replies = replies_of(conn);
    return replies != NULL && replies->owns_flush;
}

size_t conn_gathered_size(const struct weir_conn *conn) {
    const struct replies *replies = replies_of(conn);
    return replies == NULL ? 0 : replies->size;
}

static bool fits(const struct replies *replies, size_t size) {
    size_t soft = conn_terms(replies->conn)->send_buffer_soft, limit = soft < REPLIES_SIZE ? soft : REPLIES_SIZE;
    return size <= limit && replies->size + frame_header_size(size) + size <= limit;
}

static bool begin(struct replies *replies) {
    struct weir_conn *conn = replies->conn;
    if (!task_borrow(&conn->source.flush))
        return false;
    latch_lock(&conn->latch);
    replies->owns_flush = outbox_is_empty(&conn->outbox);
    latch_unlock(&conn->latch);
    if (!replies->owns_flush)
        pool_finish_borrowed(conn_core(conn)->pool, &conn->source.flush);
    return replies->owns_flush;
}

/* Whether no other thread has sent anything: it would have claimed the flush task. */
static bool is_alone(struct replies *replies) {
    return replies->owns_flush ? task_is_only_running(&replies->conn->source.flush) : begin(replies);
}

bool conn_gather_reply(struct weir_conn *conn, uint8_t opcode, const void *data, size_t size) {
    struct replies *replies = replies_of(conn);
    if (replies == NULL || replies->over)
        return false;
    replies->over = !fits(replies, size) || !is_alone(replies);
    if (replies->over)
        return false;
    uint8_t *end = replies->bytes + replies->size;
    end += frame_header(end, opcode, size);
    if (size > 0)
        end = mempcpy(end, data, size);
    replies->size = (size_t)(end - replies->bytes);
    replies->payload_size += size;
    replies->count++;
    return true;
}

/* --- Leaving ----------------------------------------------------------------------------------------------- */

/* Makes a message of each frame from `at` on, of which the bytes before `sent` have left. Returns false if memory
 * is exhausted. */
static bool keep(const struct replies *replies, size_t at, size_t sent, struct outbox *unsent) {
    unsent->offset = (uint32_t)(sent - at);
    while (at < replies->size) {
        size_t size;
        const uint8_t *payload = frame_payload(replies->bytes + at, &size);
        struct message *message = message_create(replies->bytes[at] & 0x0F, payload, size);
        if (message != NULL)
            message->is_reply = true;
        if (message == NULL || outbox_push(unsent, message) != 0) {
            message_release(message);
            return false;
        }
        at = (size_t)(payload - replies->bytes) + size;
    }
    return true;
}

/* Counts the frames that have left completely. Returns where the first other frame begins. */
static size_t count_sent(const struct replies *replies, size_t sent, struct outbox *outbox) {
    size_t at = 0, size;
    while (at < replies->size) {
        const uint8_t *payload = frame_payload(replies->bytes + at, &size);
        size_t end = (size_t)(payload - replies->bytes) + size;
        if (end > sent)
            break;
        outbox->sent_messages++;
        outbox->sent_payload += size;
        at = end;
    }
    return at;
}

struct replies *conn_take_gathered(const struct weir_conn *conn) {
    struct replies *replies = replies_of(conn);
    if (replies != NULL)
        gathered = NULL;
    return replies == NULL || replies->count == 0 ? NULL : replies;
}

int conn_send_gathered(struct weir_conn *conn, struct replies *replies, size_t *sent) {
    struct iovec vector = {replies->bytes, replies->size};
    return conn_write(conn, &vector, 1, sent);
}

void conn_settle_gathered_locked(struct weir_conn *conn, const struct replies *replies, size_t sent) {
    latch_check_held(&conn->latch);
    conn->outbox.sent_wire += sent;
    if (sent == replies->size) {
        conn->outbox.sent_messages += replies->count;
        conn->outbox.sent_payload += replies->payload_size;
        return;
    }
    struct outbox unsent = {0};
    size_t at = count_sent(replies, sent, &conn->outbox);
    if (!keep(replies, at, sent, &unsent) || outbox_prepend(&conn->outbox, &unsent) != 0) {
        outbox_release(&unsent);
        conn_cut_locked(conn);
    }
    conn_note_backlog_locked(conn, NULL);
}

void conn_drop_gathered(struct weir_conn *conn) {
    bool owns_flush = conn_is_gathering(conn);
    gathered = NULL;
    if (owns_flush)
        pool_finish_borrowed(conn_core(conn)->pool, &conn->source.flush);
}
