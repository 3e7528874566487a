/* load_client.c - see load_client.h. The states of a connection and the handshake; messages are in load_messages.c.
 *
 * Epoll is edge-triggered and each descriptor added once: a read that fills less than the buffer has emptied the
 * socket, unless the end of the connection was told with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_messages.h"

enum { HEAD_MAX = 16384, OPCODE_CLOSE = 0x8 };

uint64_t client_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- States ----------------------------------------------------------------------------------------------- */

static void count_state(struct client_group *group, enum client_state state, unsigned change) {
    if (state == CLIENT_CONNECTING || state == CLIENT_HANDSHAKE)
        group->handshakes += change;
    else if (state == CLIENT_OPEN)
        group->open += change;
    else if (state == CLIENT_CLOSING)
        group->closing += change;
}

static void set_state(struct client_group *group, struct client *client, enum client_state state) {
    count_state(group, client->state, -1u);
    client->state = state;
    count_state(group, state, 1);
}

void client_drop(struct client_group *group, struct client *client) {
    if (client->state == CLIENT_CLOSED)
        return;
    uint64_t outstanding = client->queued - client->received;
    group->outstanding -= outstanding;
    if (group->options->scenario == SCENARIO_ECHO)
        group->tally.lost += outstanding;
    close(client->descriptor);
    free(client->head);
    client->head = NULL;
    set_state(group, client, CLIENT_CLOSED);
}

/* The connection is over before its time; why has been explained. */
static void fail(struct client_group *group, struct client *client) {
    if (client->state == CLIENT_CONNECTING || client->state == CLIENT_HANDSHAKE)
        group->tally.failed++;
    else if (client->state == CLIENT_OPEN)
        group->tally.errors++;
    client_drop(group, client);
}

static void fail_errno(struct client_group *group, struct client *client, const char *what) {
    if (client->state != CLIENT_CLOSING)
        tally_explain(&group->tally, "%s: %s", what, strerror(errno));
    fail(group, client);
}

/* --- The opening handshake ---------------------------------------------------------------------------------- */

static int connect_from(const struct options *options, uint32_t id, int descriptor) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options->source_addresses > 0) {
        struct sockaddr_in source = {.sin_family = AF_INET};
        source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + id % options->source_addresses);
        setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(descriptor, (const struct sockaddr *)&source, sizeof source))
            return -1;
    }
    int result = connect(descriptor, (const struct sockaddr *)&options->server, sizeof options->server);
    return result && errno != EINPROGRESS ? -1 : 0;
}

void client_connect(struct client_group *group, struct client *client) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = client};
    *client = (struct client){.id = client->id, .queued_at = client->queued_at, .connected_at = client_clock()};
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0) {
        group->tally.failed++;
        tally_explain(&group->tally, "socket: %s", strerror(errno));
        return;
    }
    set_state(group, client, CLIENT_CONNECTING);
    if (connect_from(group->options, client->id, client->descriptor) ||
        epoll_ctl(group->epoll, EPOLL_CTL_ADD, client->descriptor, &event))
        fail_errno(group, client, "connect");
}

static void send_request(struct client_group *group, struct client *client) {
    ssize_t done = send(client->descriptor, group->request, group->request_size, MSG_NOSIGNAL);
    if (done == (ssize_t)group->request_size)
        set_state(group, client, CLIENT_HANDSHAKE);
    else if (done >= 0 || errno != EAGAIN)
        fail_errno(group, client, "connect");
}

static void opened(struct client_group *group, struct client *client) {
    enum scenario scenario = group->options->scenario;
    set_state(group, client, CLIENT_OPEN);
    group->tally.connected++;
    if (scenario == SCENARIO_IDLE || (scenario == SCENARIO_CONNECT && group->measuring))
        histogram_record(&group->tally.latency, group->now - client->connected_at);
    if (scenario == SCENARIO_CONNECT) {
        group->tally.messages += group->measuring;
        client_close(group, client);
    }
}

/* Judges a whole response. The key is always the example of RFC 6455, 1.3, so its answer is known. */
static bool accepted(struct client_group *group, const char *head, size_t size) {
    static const char accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    if (size > 12 && memcmp(head, "HTTP/1.1 101", 12) == 0 && memmem(head, size, accept, sizeof accept - 1))
        return true;
    const char *line_end = memchr(head, '\r', size);
    tally_explain(&group->tally, "the handshake was answered with: %.*s", line_end ? (int)(line_end - head) : 0,
                  head);
    return false;
}

/* Keeps the beginning of a response; false if it is too long or memory is out. */
static bool keep_head(struct client_group *group, struct client *client, const uint8_t *bytes, size_t size) {
    char *head = client->head_size + size <= HEAD_MAX ? realloc(client->head, client->head_size + size) : NULL;
    if (!head) {
        tally_explain(&group->tally, "the answer to the handshake has no end");
        return false;
    }
    memcpy(head + client->head_size, bytes, size);
    client->head = head;
    client->head_size += size;
    return true;
}

/* Takes bytes of the response, and the frames behind it. */
static bool take_response(struct client_group *group, struct client *client, const uint8_t *bytes, size_t size) {
    size_t kept = client->head_size;
    const char *head = (const char *)bytes;
    if (kept > 0 || !memmem(head, size, "\r\n\r\n", 4)) {
        if (!keep_head(group, client, bytes, size))
            return false;
        head = client->head;
    }
    const char *end = memmem(head, kept + size, "\r\n\r\n", 4);
    if (!end)
        return true;
    size_t head_size = (size_t)(end + 4 - head);
    if (!accepted(group, head, head_size))
        return false;
    size_t used = head_size - kept;
    opened(group, client);
    return client->state != CLIENT_OPEN || messages_take(group, client, bytes + used, size - used);
}

/* --- While it is open ----------------------------------------------------------------------------------------- */

static bool take(struct client_group *group, struct client *client, const uint8_t *bytes, size_t size) {
    if (client->state == CLIENT_HANDSHAKE)
        return take_response(group, client, bytes, size);
    if (client->state == CLIENT_OPEN)
        return messages_take(group, client, bytes, size);
    return true; /* closing: no longer of interest */
}

static void read_all(struct client_group *group, struct client *client, bool to_the_end) {
    while (client->state != CLIENT_CLOSED) {
        ssize_t got = recv(client->descriptor, group->input, CLIENT_INPUT_SIZE, 0);
        group->now = client_clock();
        if (got < 0 && errno == EAGAIN)
            return;
        if (got < 0) {
            fail_errno(group, client, client->state == CLIENT_OPEN ? "receive" : "connect");
        } else if (got == 0) {
            if (client->state != CLIENT_CLOSING)
                tally_explain(&group->tally, "the server closed the connection without a Close");
            fail(group, client);
        } else if (!take(group, client, group->input, (size_t)got)) {
            fail(group, client);
        } else if (got < CLIENT_INPUT_SIZE && !to_the_end) {
            return;
        }
    }
}

static void flush(struct client_group *group, struct client *client) {
    if (client->state == CLIENT_OPEN && !messages_flush(group, client))
        fail_errno(group, client, "send");
}

void client_ready(struct client_group *group, struct client *client, uint32_t events) {
    if (client->state == CLIENT_CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        send_request(group, client);
    if (client->state > CLIENT_CONNECTING && events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
        read_all(group, client, events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP));
    flush(group, client);
}

void client_start(struct client_group *group, struct client *client) {
    bool publisher = group->options->scenario != SCENARIO_BROADCAST || client->id < group->options->publishers;
    if (client->state != CLIENT_OPEN || !publisher)
        return;
    group->now = client_clock();
    for (unsigned i = 0; i < group->options->window; i++)
        messages_queue(group, client);
    flush(group, client);
}

void client_close(struct client_group *group, struct client *client) {
    static const uint8_t normal[2] = {1000 >> 8, 1000 & 0xff};
    uint8_t frame[6 + CONTROL_MAX];
    if (client->state != CLIENT_OPEN)
        return;
    size_t size = frame_control(frame, OPCODE_CLOSE, normal, sizeof normal);
    set_state(group, client, CLIENT_CLOSING);
    if (client->sent_bytes > 0 || client->pong_sent > 0 ||
        send(client->descriptor, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        client_drop(group, client);
}
