/* client_receive.c - decodes bytes into messages, and answers Pings and the server's Close. One thread at a time.
 * The receiver waits for the stream alone, never for a thread that sends.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_private.h"
#include "client/error.h"

/* --- Events -------------------------------------------------------------------------------------------------- */

/* Only the latest Ping needs an answer (5.5.3). */
static void client_receive_queue_pong(weir_client *client, const struct decoded *ping) {
    pthread_mutex_lock(&client->mutex);
    if (!client->close_queued) {
        client->control.pong = true;
        client->control.pong_size = (uint8_t)ping->size;
        if (ping->size > 0)
            memcpy(client->control.pong_payload, ping->data, ping->size);
        client_push_control_locked(client);
    }
    pthread_mutex_unlock(&client->mutex);
}

/* Answers the Close with the same code (5.5.1). A send that found the stream closed before is then not a failure.
 */
static void client_receive_close(weir_client *client, const struct decoded *decoded) {
    pthread_mutex_lock(&client->mutex);
    client->close_received = true;
    if (client->failure.cause == WEIR_CLIENT_LOST && !client->over)
        client->failure = (struct weir_client_error){0};
    client_set_close_locked(client, decoded->close_code, (const char *)decoded->data, decoded->size);
    client_queue_close_locked(client, decoded->close_code, NULL, 0);
    client_push_control_locked(client);
    pthread_mutex_unlock(&client->mutex);
}

static void client_receive_report_violation_locked(weir_client *client, unsigned code, const char *what) {
    struct weir_client_error *failure = &client->failure;
    if (failure->cause != WEIR_CLIENT_NO_ERROR)
        return;
    if (code == CLOSE_TOO_BIG)
        client_error(failure, WEIR_CLIENT_TOO_BIG, "%s: %s: max_message_size is %zu bytes", client->peer, what,
                     client->limits.max_message_size);
    else if (code == CLOSE_INTERNAL_ERROR)
        client_error(failure, WEIR_CLIENT_NO_MEMORY, "%s: out of memory for a message", client->peer);
    else
        client_error(failure, WEIR_CLIENT_PROTOCOL, "%s: the server violated the protocol: %s", client->peer, what);
}

/* Fails the connection (7.1.7): tells the server why, and reads nothing more. */
static void client_receive_fail(weir_client *client, const struct decoded *decoded) {
    const char *what = (const char *)decoded->data;
    pthread_mutex_lock(&client->mutex);
    client_receive_report_violation_locked(client, decoded->close_code, what);
    client_set_close_locked(client, decoded->close_code, what, decoded->size);
    client_queue_close_locked(client, decoded->close_code, what, decoded->size);
    client->over = true;
    client_push_control_locked(client);
    pthread_cond_broadcast(&client->written);
    pthread_mutex_unlock(&client->mutex);
}

static void client_receive_inflate(weir_client *client, struct decoded *decoded) {
    if (client->inflater == NULL)
        client->inflater = inflater_create(client->deflate.server_bits);
    else if (!client->deflate.server_takeover)
        inflater_reset(client->inflater);
    decoder_inflate(&client->decoder, &client->limits, client->inflater, decoded);
}

static void client_receive_take_control(weir_client *client, const struct decoded *decoded) {
    if (decoded->event == DECODER_PING)
        client_receive_queue_pong(client, decoded);
    else if (decoded->event == DECODER_CLOSE)
        client_receive_close(client, decoded);
    else if (decoded->event == DECODER_ERROR)
        client_receive_fail(client, decoded);
    else if (decoded->event == DECODER_PONG && client->pong != NULL)
        client->pong(client->pong_context, decoded->data, decoded->size);
}

/* Decodes what has been read, up to the next message. False if there is none. */
static bool client_receive_decode(weir_client *client, struct weir_client_message *message) {
    struct decoded decoded;
    do {
        client->input_at += decoder_feed(&client->decoder, &client->limits, client->input + client->input_at,
                                         client->input_end - client->input_at, &decoded);
        if (decoded.event == DECODER_DEFLATED)
            client_receive_inflate(client, &decoded);
        if (decoded.event == DECODER_MESSAGE && message != NULL) {
            *message = (struct weir_client_message){
                .opcode = (enum weir_opcode)decoded.opcode, .data = decoded.data, .size = decoded.size};
            return true;
        }
        client_receive_take_control(client, &decoded);
    } while (decoded.event != DECODER_MORE);
    return false;
}

/* --- The stream ---------------------------------------------------------------------------------------------- */

static void client_receive_end_of_input(weir_client *client, int number) {
    pthread_mutex_lock(&client->mutex);
    if (client->close_received) {
        client->over = client->write_failed = true;
        shutdown(client->socket, SHUT_RDWR);
        pthread_cond_broadcast(&client->written);
    } else {
        client_lose_locked(client, WEIR_CLIENT_LOST, "%s",
                           number == 0 ? "the server ended the connection without a closing handshake"
                                       : client_system_error(number));
    }
    pthread_mutex_unlock(&client->mutex);
}

/* Handles a deadline. The caller's own deadline leaves the connection as it is; that of a closing connection ends
 * it. */
static enum weir_status client_receive_out_of_time(weir_client *client) {
    char duration[CLIENT_DURATION_SIZE];
    pthread_mutex_lock(&client->mutex);
    if (socket_now() >= client->close_deadline && client->close_received) {
        client->over = client->write_failed = true;
        shutdown(client->socket, SHUT_RDWR);
    } else if (socket_now() >= client->close_deadline) {
        client_lose_locked(client, WEIR_CLIENT_TIMED_OUT, "the server did not answer our Close within %s",
                           client_duration(client->close_timeout, duration));
    }
    bool ended = client->over || client->close_received;
    enum weir_status status = ended ? client_end_status_locked(client) : WEIR_TIMEOUT;
    pthread_mutex_unlock(&client->mutex);
    return status;
}

/* Waits for bytes, for room if a control frame is due, or for client_wake(). False at the deadline. */
static bool client_receive_await(weir_client *client, uint64_t deadline) {
    pthread_mutex_lock(&client->mutex);
    short events = client_can_push_locked(client) ? POLLIN | POLLOUT : POLLIN;
    pthread_mutex_unlock(&client->mutex);
    struct pollfd polled[] = {{.fd = client->socket, .events = events}, {.fd = client->wake, .events = POLLIN}};
    int ready = poll(polled, 2, socket_poll_timeout(deadline));
    uint64_t count;
    if (ready > 0 && polled[1].revents != 0 && read(client->wake, &count, sizeof count) < 0)
        return true; /* another thread has read the eventfd */
    return ready != 0 || socket_now() < deadline;
}

/* Sends control frames that are due, and applies the close deadline. False if the connection is over. */
static bool client_receive_check_state(weir_client *client, uint64_t *deadline, enum weir_status *status) {
    pthread_mutex_lock(&client->mutex);
    client_push_control_locked(client);
    if (client->close_deadline < *deadline)
        *deadline = client->close_deadline;
    if (client->close_deadline != SOCKET_NEVER && socket_now() >= client->close_deadline)
        client->late_reads++;
    bool over = client->over;
    *status = client_end_status_locked(client);
    pthread_mutex_unlock(&client->mutex);
    return !over;
}

/* Limits a server that never stops sending. Without messages from it, the deadline is checked every READS reads.
 * With messages, the connection ends after the close deadline and READS more reads, which drain what may have
 * waited in the system. Never called while the input holds a message, because a caller that polls the stream
 * would not find it. */
static bool client_receive_must_stop(const weir_client *client, unsigned reads, uint64_t deadline) {
    enum { READS = 64 };
    return (reads % READS == 0 || client->late_reads > READS) && socket_now() >= deadline;
}

enum weir_status client_receive_until(weir_client *client, struct weir_client_message *message, uint64_t deadline) {
    enum weir_status status;
    for (unsigned reads = 1;; reads++) {
        if (client_receive_decode(client, message))
            return WEIR_OK;
        if (!client_receive_check_state(client, &deadline, &status))
            return status;
        if (client_receive_must_stop(client, reads, deadline))
            return client_receive_out_of_time(client);
        ssize_t size = socket_read(client->socket, client->input, CLIENT_INPUT_SIZE);
        int number = size == 0 ? 0 : errno;
        client->input_at = 0;
        client->input_end = size > 0 ? (size_t)size : 0;
        if (size == 0 || (size < 0 && number != EAGAIN)) {
            client_receive_end_of_input(client, number);
            continue;
        }
        if (size < 0 && !client_receive_await(client, deadline))
            return client_receive_out_of_time(client);
    }
}

/* --- One receiver at a time ---------------------------------------------------------------------------------- */

/* Becomes the receiver. False if there is one, or, when closing, if another thread holds a message. */
static bool client_receive_begin(weir_client *client, bool closing) {
    pthread_mutex_lock(&client->mutex);
    bool in_use = closing && client->held && !pthread_equal(client->holder, pthread_self());
    bool begun = !client->receiving && !in_use;
    if (begun) {
        client->receiving = true;
        client->held = false;
    }
    pthread_mutex_unlock(&client->mutex);
    return begun;
}

bool client_begin_closing(weir_client *client) {
    return client_receive_begin(client, true);
}

static void client_receive_end(weir_client *client, bool held) {
    pthread_mutex_lock(&client->mutex);
    client->receiving = false;
    client->held = held;
    client->holder = pthread_self();
    pthread_mutex_unlock(&client->mutex);
}

void client_end_receiving(weir_client *client) {
    client_receive_end(client, false);
}

void weir_client_on_pong(weir_client *client, void (*pong)(void *context, const void *data, size_t size),
                         void *context) {
    client->pong = pong;
    client->pong_context = context;
}

enum weir_status weir_client_receive(weir_client *client, struct weir_client_message *message, long timeout_ms) {
    *message = (struct weir_client_message){0};
    if (!client_receive_begin(client, false))
        return WEIR_INVALID;
    uint64_t deadline = timeout_ms < 0 ? SOCKET_NEVER : socket_deadline((uint64_t)timeout_ms);
    enum weir_status status = client_receive_until(client, message, deadline);
    client_receive_end(client, status == WEIR_OK);
    return status;
}

enum weir_status weir_client_run(weir_client *client,
                                 void (*message)(weir_client *client, const struct weir_client_message *message,
                                                 void *context),
                                 void *context) {
    struct weir_client_message received;
    enum weir_status status;
    if (!client_receive_begin(client, false))
        return WEIR_INVALID;
    while ((status = client_receive_until(client, &received, SOCKET_NEVER)) == WEIR_OK)
        message(client, &received, context);
    client_end_receiving(client);
    return status;
}
