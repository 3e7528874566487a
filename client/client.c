/* client.c - creates and destroys a client, and answers questions about it. client_connect.c connects it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_private.h"
#include "client/error.h"

enum { TIMEOUT_MS = 10000, MESSAGE_SIZE = 1 << 20 };

/* --- Creation and destruction ------------------------------------------------------------------------------- */

static uint64_t or_default(uint64_t value, uint64_t fallback) {
    return value == 0 ? fallback : value;
}

weir_client *client_create(const struct weir_client_options *options) {
    weir_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->stream = -1;
    client->send_timeout = or_default(options->send_timeout_ms, TIMEOUT_MS);
    client->close_timeout = or_default(options->close_timeout_ms, TIMEOUT_MS);
    client->limits.max_message_size = (size_t)or_default(options->max_message_size, MESSAGE_SIZE);
    if (client->limits.max_message_size > SIZE_MAX / 4) /* "no limit": sums with it must not overflow */
        client->limits.max_message_size = SIZE_MAX / 4;
    client->close_deadline = STREAM_NEVER;
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

static void close_descriptor(int descriptor) {
    if (descriptor >= 0)
        close(descriptor);
}

/* Shuts the stream for writing and reads what has arrived. Closing a stream with unread bytes resets it, and the
 * server may then not see our last frames. */
static void read_rest(weir_client *client) {
    enum { READS = 16 };
    if (client->stream < 0 || client->input == NULL || shutdown(client->stream, SHUT_WR) != 0)
        return;
    for (int reads = 0; reads < READS; reads++)
        if (stream_read(client->stream, client->input, CLIENT_INPUT_SIZE) <= 0)
            return;
}

void weir_client_destroy(weir_client *client) {
    if (client == NULL)
        return;
    read_rest(client);
    close_descriptor(client->stream);
    close_descriptor(client->wake);
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

/* --- Failures ----------------------------------------------------------------------------------------------- */

enum weir_status client_end_status_locked(const weir_client *client) {
    return client->failure.cause == WEIR_CLIENT_NO_ERROR ? WEIR_CLOSED : WEIR_FAILED;
}

/* Shutting down both directions of the stream wakes every thread that waits for it. */
void client_lose_locked(weir_client *client, enum weir_client_cause cause, const char *format, ...) {
    if (client->failure.cause == WEIR_CLIENT_NO_ERROR) {
        char text[sizeof client->failure.text];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        client_error(&client->failure, cause, "%s: %s", client->peer, text);
    }
    client_set_close_locked(client, CLOSE_ABNORMAL, "", 0);
    client->over = client->write_failed = true;
    shutdown(client->stream, SHUT_RDWR);
    pthread_cond_broadcast(&client->written);
}

const char *client_system_error(int number) {
    if (number == ECONNRESET || number == EPIPE)
        return "the server has reset the connection without a Close";
    const char *words = strerrordesc_np(number); /* strerror() is not safe to call from two threads */
    return words == NULL ? "unknown error" : words;
}

void client_wake(weir_client *client) {
    ssize_t written = write(client->wake, &(uint64_t){1}, sizeof(uint64_t));
    (void)written; /* it fails only if the receiver has been woken already */
}

const char *client_duration(uint64_t milliseconds, char text[CLIENT_DURATION_SIZE]) {
    if (milliseconds % 1000 == 0)
        snprintf(text, CLIENT_DURATION_SIZE, "%ju s", (uintmax_t)milliseconds / 1000);
    else
        snprintf(text, CLIENT_DURATION_SIZE, "%ju ms", (uintmax_t)milliseconds);
    return text;
}

/* --- Queries ------------------------------------------------------------------------------------------------ */

/* A query changes nothing but the mutex. */
static void lock_const(const weir_client *client) {
    pthread_mutex_lock((pthread_mutex_t *)&client->mutex);
}

static void unlock_const(const weir_client *client) {
    pthread_mutex_unlock((pthread_mutex_t *)&client->mutex);
}

unsigned weir_client_close_code(const weir_client *client) {
    lock_const(client);
    unsigned code = client->close_code;
    if (code == 0 && client->failure.cause != WEIR_CLIENT_NO_ERROR)
        code = CLOSE_ABNORMAL; /* a send has failed, and no thread has received since */
    unlock_const(client);
    return code;
}

const char *weir_client_close_reason(const weir_client *client) {
    lock_const(client);
    const char *reason = client->close_reason;
    unlock_const(client);
    return reason;
}

void weir_client_failure(weir_client *client, struct weir_client_error *error) {
    lock_const(client);
    *error = client->failure;
    unlock_const(client);
}

const char *weir_client_subprotocol(const weir_client *client) {
    return client->subprotocol;
}

const char *weir_client_header(const weir_client *client, const char *name) {
    return opening_header(client->head, client->head_size, name);
}

bool weir_client_compressed(const weir_client *client) {
    return client->deflate.enabled;
}

const char *weir_client_peer(const weir_client *client) {
    return client->peer;
}

int weir_client_descriptor(const weir_client *client) {
    return client->stream;
}
