/* conn_deflate.c - permessage-deflate on a connection (RFC 7692): which messages are compressed, when, and with
 * whose zlib state.
 *
 * Without context takeover, the thread that sends a message compresses it, once for all its receivers, and it can
 * be dropped like any other. With context takeover, the flush task compresses what is about to leave, after
 * everything that could drop it. So the client's window gets everything that ours has.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "server/core/codec.h"
#include "server/core/conn_private.h"

/* --- Sending ----------------------------------------------------------------------------------------------- */

bool conn_is_compressible(size_t threshold, size_t size) {
    return size >= threshold && size > 0 && size <= UINT32_MAX;
}

struct message *conn_deflate(size_t threshold, unsigned window_bits, uint8_t opcode, const void *data,
                             size_t size) {
    if (window_bits == 0 || !conn_is_compressible(threshold, size))
        return NULL;
    struct deflater *deflater = codec_deflater(window_bits);
    return deflater == NULL ? NULL : message_create_deflated(opcode, data, size, deflater, false);
}

static bool conn_takes_over(const struct weir_conn *conn) {
    return conn->deflate.enabled && conn->deflate.server_takeover;
}

static bool conn_deflate_is_plain(const struct weir_conn *conn, const struct message *message) {
    if (message->opcode != OPCODE_TEXT && message->opcode != OPCODE_BINARY)
        return true;
    return !conn_is_compressible(conn->compression_threshold, message_payload_size(message));
}

/* Compresses the next message with takeover. Returns NULL if memory is exhausted; then the message may go plain
 * (RFC 7692, 6), and the zlib state is unchanged or starts again. */
static struct message *conn_deflate_next(struct weir_conn *conn, const struct message *plain) {
    struct deflater **deflater = &conn->zlib->deflater;
    if (*deflater == NULL)
        *deflater = deflater_create(conn->deflate.server_bits);
    if (*deflater == NULL)
        return NULL;
    struct message *deflated = message_create_deflated(plain->opcode, message_payload(plain),
                                                       message_payload_size(plain), *deflater, true);
    if (deflated != NULL)
        deflated->is_reply = plain->is_reply;
    return deflated;
}

/* Compresses without the lock: a committed message stays, and only this task removes it. */
static void conn_deflate_committed_locked(struct weir_conn *conn, const struct message *plain) {
    small_mutex_unlock(&conn->mutex);
    struct message *deflated = conn_deflate_next(conn, plain);
    small_mutex_lock(&conn->mutex);
    if (deflated != NULL)
        outbox_replace_committed(&conn->outbox, deflated);
}

int conn_commit_locked(struct weir_conn *conn, int max) {
    enum { BYTES_AHEAD = 65536 };
    small_mutex_check_held(&conn->mutex);
    if (!conn_takes_over(conn))
        return max;
    struct outbox *outbox = &conn->outbox;
    size_t bytes = 0;
    bool all_left = outbox->committed == 0;
    while (all_left && outbox->committed < (uint32_t)max && bytes < BYTES_AHEAD) {
        const struct message *message = outbox_commit(outbox);
        if (message == NULL)
            break;
        bytes += message->size;
        if (!conn_deflate_is_plain(conn, message))
            conn_deflate_committed_locked(conn, message);
    }
    return (int)outbox->committed;
}

/* --- Receiving --------------------------------------------------------------------------------------------- */

static struct inflater *conn_deflate_inflater(struct weir_conn *conn) {
    if (!conn->deflate.client_takeover)
        return codec_inflater();
    struct inflater **inflater = &conn->zlib->inflater;
    if (*inflater == NULL)
        *inflater = inflater_create(conn->deflate.client_bits);
    return *inflater;
}

void conn_inflate(struct weir_conn *conn, struct decoded *decoded) {
    decoder_inflate(&conn->decoder, &conn_settings(conn)->limits, conn_deflate_inflater(conn), decoded);
}

/* --- Both -------------------------------------------------------------------------------------------------- */

unsigned conn_send_bits(const struct weir_conn *conn) {
    return conn->deflate.enabled && !conn->deflate.server_takeover ? conn->deflate.server_bits : 0;
}

void conn_release_zlib_state(struct weir_conn *conn) {
    if (conn->zlib == NULL)
        return;
    deflater_destroy(conn->zlib->deflater);
    inflater_destroy(conn->zlib->inflater);
    free(conn->zlib);
}
