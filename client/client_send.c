/* client_send.c - sends frames. Any thread may send, but only one writes at a time. Each message is one frame,
 * masked chunk by chunk, so that no second copy of it is needed. The writer also sends the control frames that
 * the receiver leaves.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "client/client_private.h"
#include "client/error.h"
#include "ws/frame.h"

enum { MASK_SIZE = 4 };

/* --- For the writer: masks, frames, compression -------------------------------------------------------------- */

/* The mask must be unpredictable (10.3). */
static bool client_send_next_mask(weir_client *client, uint8_t mask[MASK_SIZE]) {
    if (client->masks_left == 0) {
        if (getrandom(client->masks, CLIENT_MASKS_SIZE, 0) != CLIENT_MASKS_SIZE) {
            errno = EIO;
            return false;
        }
        client->masks_left = CLIENT_MASKS_SIZE;
    }
    memcpy(mask, client->masks + CLIENT_MASKS_SIZE - client->masks_left, MASK_SIZE);
    client->masks_left -= MASK_SIZE;
    return true;
}

/* Each chunk's payload is a multiple of the mask's size, so that every chunk begins with the mask's first byte. */
static bool client_send_write_frame(weir_client *client, uint8_t opcode, const uint8_t *data, size_t size,
                                    uint64_t deadline) {
    uint8_t mask[MASK_SIZE];
    if (!client_send_next_mask(client, mask))
        return false;
    size_t at = frame_header_masked(client->chunk, opcode, size, mask);
    do {
        size_t room = (CLIENT_CHUNK_SIZE - at) / MASK_SIZE * MASK_SIZE, taken = size < room ? size : room;
        if (taken > 0)
            memcpy(client->chunk + at, data, taken);
        frame_mask(client->chunk + at, taken, mask);
        if (!socket_write_all(client->socket, client->chunk, at + taken, deadline))
            return false;
        data += taken;
        size -= taken;
        at = 0;
    } while (size > 0);
    return true;
}

/* Returns the compressed payload, in the heap; NULL if it would not be smaller, or memory runs out. The message
 * then goes uncompressed, which is allowed (RFC 7692, 6). Every message begins a new stream, which is always
 * allowed. */
static uint8_t *client_send_compress(weir_client *client, const void *data, size_t size, size_t *compressed_size) {
    if (!client->deflate.enabled || size == 0 || size > UINT32_MAX)
        return NULL;
    if (client->deflater == NULL)
        client->deflater = deflater_create(client->deflate.client_bits);
    else
        deflater_reset(client->deflater);
    uint8_t *compressed = client->deflater == NULL ? NULL : malloc(size);
    if (compressed == NULL)
        return NULL;
    *compressed_size = deflater_run(client->deflater, data, size, compressed, size);
    if (*compressed_size > 0)
        return compressed;
    free(compressed);
    return NULL;
}

static bool client_send_write_message(weir_client *client, uint8_t opcode, const void *data, size_t size,
                                      uint64_t deadline) {
    size_t compressed_size;
    uint8_t *compressed = opcode == OPCODE_PING ? NULL : client_send_compress(client, data, size, &compressed_size);
    if (compressed == NULL)
        return client_send_write_frame(client, opcode, data, size, deadline);
    bool written = client_send_write_frame(client, FRAME_RSV1 | opcode, compressed, compressed_size, deadline);
    int number = errno;
    free(compressed);
    errno = number;
    return written;
}

/* --- Control frames ------------------------------------------------------------------------------------------ */

static void client_send_encode_locked(weir_client *client, uint8_t opcode, const uint8_t *payload, size_t size) {
    uint8_t mask[MASK_SIZE];
    client->frame_at = client->frame_end = 0;
    if (!client_send_next_mask(client, mask))
        return;
    size_t header_size = frame_header_masked(client->frame, opcode, size, mask);
    memcpy(client->frame + header_size, payload, size);
    frame_mask(client->frame + header_size, size, mask);
    client->frame_end = header_size + size;
}

/* Puts the next control frame that is due into client->frame. False if there is none. */
static bool client_send_next_control_locked(weir_client *client) {
    struct client_control *control = &client->control;
    if (client->frame_at == client->frame_end && control->pong) {
        control->pong = false;
        client_send_encode_locked(client, OPCODE_PONG, control->pong_payload, control->pong_size);
    } else if (client->frame_at == client->frame_end && control->close) {
        control->close = false;
        client_send_encode_locked(client, OPCODE_CLOSE, control->close_payload, control->close_size);
    }
    return client->frame_at < client->frame_end;
}

/* Records that writing failed. The server may have said why before it ended the connection, so what has arrived
 * is left for the receiver. After the server's Close a failed write is not an error. */
static void client_send_fail_locked(weir_client *client, int number) {
    char duration[CLIENT_DURATION_SIZE];
    bool first = !client->close_received && client->failure.cause == WEIR_CLIENT_NO_ERROR;
    if (first && number == ETIMEDOUT)
        client_lose_locked(client, WEIR_CLIENT_TIMED_OUT,
                           "a message was not sent within %s; the server does not read, or waits for us to receive",
                           client_duration(client->send_timeout, duration));
    else if (first)
        client_error(&client->failure, WEIR_CLIENT_LOST, "%s: %s", client->peer, client_system_error(number));
    client->write_failed = true;
    pthread_cond_broadcast(&client->written);
}

void client_push_control_locked(weir_client *client) {
    if (client->writing)
        return;
    while (!client->write_failed && client_send_next_control_locked(client)) {
        ssize_t written =
            socket_write(client->socket, client->frame + client->frame_at, client->frame_end - client->frame_at);
        if (written < 0 && errno == EAGAIN)
            break;
        if (written < 0)
            client_send_fail_locked(client, errno);
        else
            client->frame_at += (size_t)written;
    }
    if (client->over)
        shutdown(client->socket, SHUT_WR);
}

bool client_can_push_locked(const weir_client *client) {
    return !client->writing && !client->write_failed &&
           (client->frame_at < client->frame_end || client->control.pong || client->control.close);
}

/* --- One writer at a time ------------------------------------------------------------------------------------ */

static bool client_send_may_write_locked(const weir_client *client) {
    return !client->over && !client->close_queued && !client->write_failed;
}

/* Waits for the current writer, which takes no longer than its timeout. */
static bool client_send_begin_locked(weir_client *client) {
    while (client->writing && client_send_may_write_locked(client))
        pthread_cond_wait(&client->written, &client->mutex);
    if (!client_send_may_write_locked(client))
        return false;
    client->writing = true;
    return true;
}

/* Control bytes that the system does not take at once are left to the receiver, which polls. */
static void client_send_end_locked(weir_client *client) {
    client->writing = false;
    client_push_control_locked(client);
    if (client->receiving && client_can_push_locked(client))
        client_wake(client);
    pthread_cond_broadcast(&client->written);
}

/* Writes the rest of a pending control frame first. */
static bool client_send_write_all(weir_client *client, uint8_t opcode, const void *data, size_t size) {
    uint64_t deadline = socket_deadline(client->send_timeout);
    pthread_mutex_lock(&client->mutex);
    size_t at = client->frame_at, end = client->frame_end;
    client->frame_at = end;
    pthread_mutex_unlock(&client->mutex);
    return socket_write_all(client->socket, client->frame + at, end - at, deadline) &&
           client_send_write_message(client, opcode, data, size, deadline);
}

static enum weir_status client_send_message(weir_client *client, uint8_t opcode, const void *data, size_t size) {
    pthread_mutex_lock(&client->mutex);
    if (!client_send_begin_locked(client)) {
        enum weir_status status = client_end_status_locked(client);
        pthread_mutex_unlock(&client->mutex);
        return status;
    }
    pthread_mutex_unlock(&client->mutex);
    bool written = client_send_write_all(client, opcode, data, size);
    int number = errno;
    pthread_mutex_lock(&client->mutex);
    if (!written)
        client_send_fail_locked(client, number);
    client_send_end_locked(client);
    enum weir_status status = written ? WEIR_OK : client_end_status_locked(client);
    pthread_mutex_unlock(&client->mutex);
    return status;
}

enum weir_status weir_client_send(weir_client *client, enum weir_opcode opcode, const void *data, size_t size) {
    if (opcode != WEIR_TEXT && opcode != WEIR_BINARY)
        return WEIR_INVALID;
    if (opcode == WEIR_TEXT && !utf8_valid(data, size))
        return WEIR_INVALID;
    return client_send_message(client, (uint8_t)opcode, data, size);
}

enum weir_status weir_client_ping(weir_client *client, const void *data, size_t size) {
    if (size > CONTROL_PAYLOAD_MAX)
        return WEIR_INVALID;
    return client_send_message(client, OPCODE_PING, data, size);
}
