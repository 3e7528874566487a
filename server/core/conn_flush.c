/* conn_flush.c - the flush task: writes what waits in the outbox, as many messages as possible with each call.
 *
 * It never waits. If the socket is full, it asks the poller to report when there is room, which happens at once if
 * room has appeared in the meantime.
 *
 * The socket is shut for writing when our Close has left and the client's has come (RFC 6455, 7.1.1), and not
 * before. Some clients take the end of the stream for a lost connection while our Close still waits after data
 * that they have not read.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "server/core/conn_private.h"

enum { VECTORS_MAX = 64, TURN_WRITES = 16, JOINED_MAX = 4096 };

enum outcome { FLUSH_EMPTY, FLUSH_BLOCKED, FLUSH_FAILED, FLUSH_TURN_OVER };

/* Copies small messages into one piece: the kernel takes longer for each piece than copying does. The originals
 * stay in place. Returns how many vectors are left. */
static int conn_flush_join(struct iovec *vectors, int count, uint8_t joined[JOINED_MAX]) {
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += vectors[i].iov_len;
    if (count <= 1 || size > JOINED_MAX)
        return count;
    uint8_t *end = joined;
    for (int i = 0; i < count; i++)
        end = mempcpy(end, vectors[i].iov_base, vectors[i].iov_len);
    *vectors = (struct iovec){joined, size};
    return 1;
}

int conn_write(struct weir_conn *conn, struct iovec *vectors, int count, size_t *sent) {
    ssize_t size = conn->transport.kind->write(&conn->transport, vectors, count);
    int error = size < 0 ? errno : 0;
    if (size > 0)
        atomic_store(&conn->stuck_at, TIME32_NONE);
    if (error == EAGAIN || error == EWOULDBLOCK) {
        if (atomic_load(&conn->stuck_at) == TIME32_NONE) {
            atomic_store(&conn->unsent, conn->transport.kind->unsent(&conn->transport));
            atomic_store(&conn->stuck_at, time32_from(pool_now()));
        }
        pool_await_room(conn_core(conn)->pool, &conn->source, conn->transport.fd);
    }
    *sent = size < 0 ? 0 : (size_t)size;
    return error;
}

static int conn_flush_some_locked(struct weir_conn *conn) {
    struct iovec vectors[VECTORS_MAX];
    uint8_t joined[JOINED_MAX];
    size_t sent;
    int count = outbox_fill_vectors(&conn->outbox, vectors, conn_commit_locked(conn, VECTORS_MAX));
    small_mutex_unlock(&conn->mutex);
    int error = conn_write(conn, vectors, conn_flush_join(vectors, count, joined), &sent);
    small_mutex_lock(&conn->mutex);
    outbox_sent(&conn->outbox, sent);
    while (conn->drop_outbox && outbox_drop_oldest(&conn->outbox))
        continue; /* the client was disconnected while all this was in flight */
    return error;
}

static bool conn_flush_is_fatal(int error) {
    return error != 0 && error != EINTR && error != EAGAIN && error != EWOULDBLOCK;
}

/* Checks the clock after the first write, which is usually the only one: each write may compress a lot. */
static bool conn_flush_is_over(uint64_t *began, int writes) {
    if (writes == 0)
        return false;
    uint64_t now = pool_now_us();
    if (*began == 0)
        *began = now;
    return now - *began > CONN_TURN_US;
}

static enum outcome conn_flush_all_locked(struct weir_conn *conn) {
    if (atomic_load(&conn->source.blocked))
        return FLUSH_BLOCKED; /* the poller will report; asking again would make it report unread input again */
    uint64_t began = 0;
    for (int writes = 0; writes < TURN_WRITES; writes++) {
        if (outbox_is_empty(&conn->outbox))
            return FLUSH_EMPTY;
        if (conn_flush_is_over(&began, writes))
            return FLUSH_TURN_OVER;
        int error = conn_flush_some_locked(conn);
        if (error == EAGAIN || error == EWOULDBLOCK)
            return FLUSH_BLOCKED;
        if (conn_flush_is_fatal(error))
            return FLUSH_FAILED;
    }
    return FLUSH_TURN_OVER;
}

/* Returns true if the connection has ended in the meantime: then this thread must close the descriptor. */
static bool conn_flush_locked(struct weir_conn *conn, struct task_list *ready) {
    conn->flushing = true;
    enum outcome outcome = conn_flush_all_locked(conn);
    if (outcome == FLUSH_TURN_OVER)
        task_again(&conn->source.flush);
    if (outcome == FLUSH_FAILED)
        conn_cut_locked(conn);
    bool close_left = outcome == FLUSH_EMPTY && conn_state(conn) == CONN_CLOSE_RECEIVED;
    if (close_left) {
        conn_enter_locked(conn, CONN_SHUT);
        small_mutex_unlock(&conn->mutex);
        conn->transport.kind->shut(&conn->transport, SHUT_WR);
        small_mutex_lock(&conn->mutex);
    }
    if (close_left || conn_is_cut(conn))
        task_claim_into(&conn->source.input, ready);
    conn_resume_locked(conn, ready);
    conn->flushing = false;
    bool ended = conn_state(conn) == CONN_ENDED;
    if (ended)
        outbox_release(&conn->outbox);
    return ended;
}

/* To be called by the thread that has the flush task. */
static void conn_flush(struct weir_conn *conn) {
    struct task_list ready = {0};
    struct cork *cork = conn_uncork(conn);
    size_t sent = 0;
    int error = cork == NULL ? 0 : conn_send_corked(conn, cork, &sent);
    small_mutex_lock(&conn->mutex);
    if (cork != NULL)
        conn_account_corked_locked(conn, cork, sent);
    if (conn_flush_is_fatal(error))
        conn_cut_locked(conn);
    bool must_close = conn_state(conn) != CONN_ENDED && conn_flush_locked(conn, &ready);
    small_mutex_unlock(&conn->mutex);
    if (must_close)
        conn->transport.kind->close(&conn->transport);
    pool_submit_list(conn_core(conn)->pool, &ready);
}

void conn_flush_here(struct weir_conn *conn) {
    struct pool *pool = conn_core(conn)->pool;
    if (!conn_has_corked(conn) && !task_borrow(&conn->source.flush)) {
        conn_uncork(conn); /* returns nothing; but later messages are not replies of this turn */
        pool_submit(pool, &conn->source.flush);
        return;
    }
    conn_flush(conn);
    pool_finish_borrowed(pool, &conn->source.flush);
}

static void conn_flush_run(struct task *task) {
    struct weir_conn *conn = CONN_OF(task, source.flush);
    conn_flush(conn);
    pool_finish(conn_core(conn)->pool, task);
}

static void conn_flush_retain(struct task *task) {
    weir_conn_retain(CONN_OF(task, source.flush));
}

static void conn_flush_release(struct task *task) {
    weir_conn_release(CONN_OF(task, source.flush));
}

static void conn_flush_prefetch(const struct task *task) {
    conn_prefetch(CONN_OF(task, source.flush));
}

const struct task_kind conn_flush_kind = {.queue = TASK_IO,
                                          .run = conn_flush_run,
                                          .retain = conn_flush_retain,
                                          .release = conn_flush_release,
                                          .prefetch = conn_flush_prefetch};
