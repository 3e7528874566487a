/* conn_end.c - how a connection ends: in its input task alone, when the client has shut its side, reading or
 * writing has failed, or the close timeout is over.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "server/core/conn_input.h"
#include "ws/close_code.h"

void conn_end_transport(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    conn_enter_locked(conn, CONN_ENDED);
    if (conn->close_code == 0)
        conn->close_code = CLOSE_ABNORMAL;
    bool close_here = !conn->flushing;
    if (close_here)
        outbox_release(&conn->outbox);
    small_mutex_unlock(&conn->mutex);
    if (close_here)
        conn->transport.kind->close(&conn->transport);
}

void conn_end(struct weir_conn *conn) {
    pool_unwatch(conn_core(conn)->pool, &conn->source, conn->transport.fd);
    pool_cancel_timer(conn_core(conn)->pool, &conn->timer);
    registry_remove(&conn_core(conn)->registry, conn);
    if (conn_core(conn)->on_end != NULL)
        conn_core(conn)->on_end(conn);
    decoder_release(&conn->decoder);
    free(conn->pending);
    conn->pending = NULL;
    conn_decode_count_memory(conn);
    conn_end_transport(conn);
    if (route_never_blocks(conn->route))
        conn_call_close(conn);
    else
        pool_submit(conn_core(conn)->pool, &conn->handler);
}

bool conn_end_awaits_close(struct weir_conn *conn) {
    do {
        small_mutex_lock(&conn->mutex);
        conn_note_peer_done_locked(conn);
        small_mutex_unlock(&conn->mutex);
        conn_flush_here(conn);
    } while (conn_state(conn) == CONN_CLOSE_SENT); /* another thread has closed meanwhile */
    return conn_state(conn) == CONN_CLOSE_RECEIVED && !atomic_load(&conn->source.broken);
}
