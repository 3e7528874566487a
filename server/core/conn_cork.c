/* conn_cork.c - the replies of a handler that never blocks to the messages of one turn. They are corked: kept as
 * frames in memory of the thread, and written from there. So a short reply to a client that reads costs no
 * allocation and no lock.
 *
 * From the first reply on, the corking thread has the connection's flush task, so no other thread sends
 * meanwhile. The first message that must go to the outbox, from any thread, ends the corking: later messages go
 * there too, and leave after it. What the socket does not take is put at the front of the outbox, as the messages
 * that it would have been.
 *
 * Corked replies belong to the thread that runs the input task. Any thread may query and send: on another thread
 * nothing is corked.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/core/conn_private.h"
#include "server/core/turn.h"
#include "ws/frame.h"

struct cork {
    struct weir_conn *conn;
    bool owns_flush; /* from the first reply on: this thread has the connection's flush task */
    bool over;       /* the outbox has a message that the next reply would overtake */
    uint32_t count;
    size_t size, payload_size;
    uint8_t bytes[];
};

enum { REPLIES_SIZE = CONN_SCRATCH_SIZE - CONN_READ_SIZE - sizeof(struct cork) };

/* The cork lies in the scratch memory, after the bytes read. */
static struct cork *conn_cork_of(const struct weir_conn *conn) {
    return turn.cork != NULL && turn.cork->conn == conn ? turn.cork : NULL;
}

void conn_cork(struct weir_conn *conn) {
    if (!route_never_blocks(conn->route) || conn->deflate.enabled)
        return;
    turn.cork = (struct cork *)((char *)pool_scratch() + CONN_READ_SIZE);
    *turn.cork = (struct cork){.conn = conn};
}

void conn_stop_corking(const struct weir_conn *conn) {
    struct cork *cork = conn_cork_of(conn);
    if (cork != NULL)
        cork->over = true;
}

bool conn_has_corked(const struct weir_conn *conn) {
    const struct cork *cork = conn_cork_of(conn);
    return cork != NULL && cork->owns_flush;
}

size_t conn_corked_size(const struct weir_conn *conn) {
    const struct cork *cork = conn_cork_of(conn);
    return cork == NULL ? 0 : cork->size;
}

static bool conn_cork_fits(const struct cork *cork, size_t size) {
    size_t soft = conn_settings(cork->conn)->send_buffer_soft, limit = soft < REPLIES_SIZE ? soft : REPLIES_SIZE;
    return size <= limit && cork->size + frame_header_size(size) + size <= limit;
}

static bool conn_cork_begin(struct cork *cork) {
    struct weir_conn *conn = cork->conn;
    if (!task_borrow(&conn->source.flush))
        return false;
    small_mutex_lock(&conn->mutex);
    cork->owns_flush = outbox_is_empty(&conn->outbox);
    small_mutex_unlock(&conn->mutex);
    if (!cork->owns_flush)
        pool_finish_borrowed(conn_core(conn)->pool, &conn->source.flush);
    return cork->owns_flush;
}

/* Whether no other thread has sent anything: it would have claimed the flush task. */
static bool conn_cork_is_alone(struct cork *cork) {
    return cork->owns_flush ? task_is_only_running(&cork->conn->source.flush) : conn_cork_begin(cork);
}

bool conn_cork_reply(struct weir_conn *conn, uint8_t opcode, const void *data, size_t size) {
    struct cork *cork = conn_cork_of(conn);
    if (cork == NULL || cork->over)
        return false;
    cork->over = !conn_cork_fits(cork, size) || !conn_cork_is_alone(cork);
    if (cork->over)
        return false;
    uint8_t *end = cork->bytes + cork->size;
    end += frame_header(end, opcode, size);
    if (size > 0)
        end = mempcpy(end, data, size);
    cork->size = (size_t)(end - cork->bytes);
    cork->payload_size += size;
    cork->count++;
    return true;
}

/* --- Leaving ----------------------------------------------------------------------------------------------- */

/* Makes a message of each frame from `at` on, of which the bytes before `sent` have left. Returns false if memory
 * is exhausted. */
static bool conn_cork_keep(const struct cork *cork, size_t at, size_t sent, struct outbox *unsent) {
    unsent->offset = (uint32_t)(sent - at);
    while (at < cork->size) {
        size_t size;
        const uint8_t *payload = frame_payload(cork->bytes + at, &size);
        struct message *message = message_create(cork->bytes[at] & 0x0F, payload, size);
        if (message != NULL)
            message->is_reply = true;
        if (message == NULL || outbox_push(unsent, message) != 0) {
            message_release(message);
            return false;
        }
        at = (size_t)(payload - cork->bytes) + size;
    }
    return true;
}

/* Counts the frames that have left completely. Returns where the first other frame begins. */
static size_t conn_cork_count_sent(const struct cork *cork, size_t sent, struct outbox *outbox) {
    size_t at = 0, size;
    while (at < cork->size) {
        const uint8_t *payload = frame_payload(cork->bytes + at, &size);
        size_t end = (size_t)(payload - cork->bytes) + size;
        if (end > sent)
            break;
        outbox->sent_messages++;
        outbox->sent_payload += size;
        at = end;
    }
    return at;
}

struct cork *conn_uncork(const struct weir_conn *conn) {
    struct cork *cork = conn_cork_of(conn);
    if (cork != NULL)
        turn.cork = NULL;
    return cork == NULL || cork->count == 0 ? NULL : cork;
}

int conn_send_corked(struct weir_conn *conn, struct cork *cork, size_t *sent) {
    struct iovec vector = {cork->bytes, cork->size};
    return conn_write(conn, &vector, 1, sent);
}

void conn_account_corked_locked(struct weir_conn *conn, const struct cork *cork, size_t sent) {
    small_mutex_check_held(&conn->mutex);
    conn->outbox.sent_wire += sent;
    if (sent == cork->size) {
        conn->outbox.sent_messages += cork->count;
        conn->outbox.sent_payload += cork->payload_size;
        return;
    }
    struct outbox unsent = {0};
    size_t at = conn_cork_count_sent(cork, sent, &conn->outbox);
    if (!conn_cork_keep(cork, at, sent, &unsent) || outbox_prepend(&conn->outbox, &unsent) != 0) {
        outbox_release(&unsent);
        conn_cut_locked(conn);
    }
    conn_note_backlog_locked(conn, NULL);
}

void conn_drop_corked(struct weir_conn *conn) {
    bool owns_flush = conn_has_corked(conn);
    turn.cork = NULL;
    if (owns_flush)
        pool_finish_borrowed(conn_core(conn)->pool, &conn->source.flush);
}
