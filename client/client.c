/* client.c - creates and destroys a client, and answers questions about it. client_connect.c connects it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_private.h"

enum { TIMEOUT_MS = 10000, MESSAGE_SIZE = 1 << 20 };

/* --- Creation and destruction ------------------------------------------------------------------------------- */

static uint64_t client_or_default(uint64_t value, uint64_t fallback) {
    return value == 0 ? fallback : value;
}

weir_client *client_create(const struct weir_client_options *options) {
    weir_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->socket = -1;
    client->send_timeout = client_or_default(options->send_timeout_ms, TIMEOUT_MS);
    client->close_timeout = client_or_default(options->close_timeout_ms, TIMEOUT_MS);
    client->limits.max_message_size = (size_t)client_or_default(options->max_message_size, MESSAGE_SIZE);
    if (client->limits.max_message_size > SIZE_MAX / 4) /* "no limit": sums with it must not overflow */
        client->limits.max_message_size = SIZE_MAX / 4;
    client->close_deadline = SOCKET_NEVER;
    client->close_reason = "";
    pthread_mutex_init(&client->mutex, NULL);
    pthread_cond_init(&client->written, NULL);
    client->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    client->input = malloc(CLIENT_INPUT_SIZE);
    client->chunk = malloc(CLIENT_CHUNK_SIZE);
    if (client->wake >= 0 && client->input != NULL && client->chunk != NULL)
        return client;
    int number = client->wake < 0 ? errno : ENOMEM;
    weir_client_destroy(client);
    errno = number;
    return NULL;
}

static void client_close_descriptor(int descriptor) {
    if (descriptor >= 0)
        close(descriptor);
}

/* Shuts the stream for writing and reads what has arrived. Closing a stream with unread bytes resets it, and the
 * server may then not see our last frames. */
static void client_read_unread(weir_client *client) {
    enum { READS = 16 };
    if (client->socket < 0 || client->input == NULL || shutdown(client->socket, SHUT_WR) != 0)
        return;
    for (int reads = 0; reads < READS; reads++)
        if (socket_read(client->socket, client->input, CLIENT_INPUT_SIZE) <= 0)
            return;
}

void weir_client_destroy(weir_client *client) {
    if (client == NULL)
        return;
    client_read_unread(client);
    client_close_descriptor(client->socket);
    client_close_descriptor(client->wake);
    decoder_release(&client->decoder);
    inflater_destroy(client->inflater);
    deflater_destroy(client->deflater);
    pthread_cond_destroy(&client->written);
    pthread_mutex_destroy(&client->mutex);
    free(client->head);
    free(client->input);
    free(client->chunk);
    free(client);
}

/* --- Queries ------------------------------------------------------------------------------------------------ */

/* A query changes nothing but the mutex. */
static void client_lock_const(const weir_client *client) {
    pthread_mutex_lock((pthread_mutex_t *)&client->mutex);
}

static void client_unlock_const(const weir_client *client) {
    pthread_mutex_unlock((pthread_mutex_t *)&client->mutex);
}

unsigned weir_client_close_code(const weir_client *client) {
    client_lock_const(client);
    unsigned code = client->close_code;
    if (code == 0 && client->failure.cause != WEIR_CLIENT_NO_ERROR)
        code = CLOSE_ABNORMAL; /* a send has failed, and no thread has received since */
    client_unlock_const(client);
    return code;
}

const char *weir_client_close_reason(const weir_client *client) {
    client_lock_const(client);
    const char *reason = client->close_reason;
    client_unlock_const(client);
    return reason;
}

void weir_client_failure(weir_client *client, struct weir_client_error *error) {
    client_lock_const(client);
    *error = client->failure;
    client_unlock_const(client);
}

const char *weir_client_subprotocol(const weir_client *client) {
    return client->subprotocol;
}

const char *weir_client_header(const weir_client *client, const char *name) {
    return client_handshake_header(client->head, client->head_size, name);
}

bool weir_client_compressed(const weir_client *client) {
    return client->deflate.enabled;
}

const char *weir_client_peer(const weir_client *client) {
    return client->peer;
}

int weir_client_descriptor(const weir_client *client) {
    return client->socket;
}
