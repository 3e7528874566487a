/* client_state.c - how a connection ends: the Close that is due, the close code, and the failure, each recorded
 * once.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_private.h"
#include "client/error.h"

/* --- Closing ------------------------------------------------------------------------------------------------ */

void client_set_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size) {
    if (client->close_code != 0)
        return;
    client->close_code = code;
    if (reason_size > CLOSE_REASON_MAX)
        reason_size = CLOSE_REASON_MAX;
    if (reason_size > 0)
        memcpy(client->reason_text, reason, reason_size);
    client->close_reason = client->reason_text;
}

void client_queue_close_locked(weir_client *client, unsigned code, const char *reason, size_t reason_size) {
    if (client->close_queued)
        return;
    struct client_control *control = &client->control;
    control->close = true;
    control->pong = false; /* the server no longer waits for it */
    control->close_size = (uint8_t)close_payload(control->close_payload, code, reason, reason_size);
    client->close_queued = true;
    client->close_deadline = socket_deadline(client->close_timeout);
    pthread_cond_broadcast(&client->written);
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
    shutdown(client->socket, SHUT_RDWR);
    pthread_cond_broadcast(&client->written);
}

const char *client_system_error(int number) {
    if (number == ECONNRESET || number == EPIPE)
        return "the server reset the connection without a closing handshake";
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
