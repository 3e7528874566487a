/* bench_handshake.c - see bench_handshake.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/bench_handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/error.h"
#include "commands/bench/load/exchange.h"

static const struct target *target_of(const struct bench_group *group, const struct bench_client *client) {
    return &group->targets[client->id % group->settings->url_count];
}

/* --- TCP --------------------------------------------------------------------------------------------------- */

/* Fills in the source address. Returns its size; 0: the system chooses. */
static socklen_t choose_source(const struct bench_group *group, const struct bench_client *client,
                               const struct target *target, struct sockaddr_storage *source) {
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    if (group->settings->source_count > 0) {
        const char *text = group->settings->sources[client->id % group->settings->source_count];
        if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1) {
            memcpy(source, &ipv6, sizeof ipv6);
            return sizeof ipv6;
        }
        inet_pton(AF_INET, text, &ipv4.sin_addr);
    } else if (group->loopback_sources > 0 && target_is_loopback(target)) {
        ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + client->id % group->loopback_sources);
    } else {
        return 0;
    }
    memcpy(source, &ipv4, sizeof ipv4);
    return sizeof ipv4;
}

static bool connect_to(const struct bench_group *group, const struct bench_client *client,
                       const struct target *target) {
    int on = 1;
    struct sockaddr_storage source;
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socklen_t size = choose_source(group, client, target, &source);
    if (size > 0) {
        setsockopt(client->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(client->descriptor, (const struct sockaddr *)&source, size) != 0)
            return false;
    }
    return connect(client->descriptor, (const struct sockaddr *)&target->address, target->address_size) == 0 ||
           errno == EINPROGRESS;
}

/* Resets a client for a new connection, except for what it keeps from the old one. */
static void renew(struct bench_client *client) {
    struct bench_client fresh = {.previous = client->previous,
                                 .next = client->next,
                                 .since = client->since,
                                 .id = client->id,
                                 .state = client->state,
                                 .heard = client->heard};
    *client = fresh;
}

void bench_client_connect(struct bench_group *group, struct bench_client *client) {
    struct epoll_event event = {.events = BENCH_CLIENT_EVENTS, .data.ptr = client};
    const struct target *target = target_of(group, client);
    renew(client);
    bench_client_enter(group, client, BENCH_CONNECTING);
    client->descriptor = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0 || !connect_to(group, client, target) ||
        epoll_ctl(group->epoll, EPOLL_CTL_ADD, client->descriptor, &event) != 0)
        bench_client_fail_errno(group, client);
}

/* --- HTTP -------------------------------------------------------------------------------------------------- */

/* Works as sendmsg(); *size is the size of the request. */
static ssize_t send_to_room(const struct target *target, unsigned room, int descriptor, size_t *size) {
    char line[TARGET_LINE_MAX];
    struct iovec parts[] = {{line, target_line(target, room, line)},
                            {target->request + target->line_size, target->request_size - target->line_size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    *size = parts[0].iov_len + parts[1].iov_len;
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

void bench_handshake_begin(struct bench_group *group, struct bench_client *client) {
    const struct settings *settings = group->settings;
    const struct target *target = target_of(group, client);
    size_t size = target->request_size;
    ssize_t done = settings->rooms > 0
                       ? send_to_room(target, settings_room(settings, client->id), client->descriptor, &size)
                       : send(client->descriptor, target->request, size, MSG_NOSIGNAL);
    if (done == (ssize_t)size) {
        bench_client_enter(group, client, BENCH_HANDSHAKE);
    } else if (done >= 0 || errno != EAGAIN) {
        errno = done >= 0 ? ENOBUFS : errno; /* a new socket has no room for a request */
        bench_client_fail_errno(group, client);
    }
}

static void count_opened(struct bench_group *group, const struct bench_client *client) {
    enum scenario scenario = group->settings->scenario;
    uint64_t duration = group->now > client->since ? group->now - client->since : 0;
    group->second.counts.connected++;
    group->result.counts.connected++;
    if (scenario != SCENARIO_CONNECT || client->since >= group->measure_from)
        histogram_record(&group->result.handshake, duration);
    if (scenario == SCENARIO_IDLE || scenario == SCENARIO_CONNECT)
        histogram_record(&group->second.latency, duration);
}

/* Refuses compression other than we have offered: one inflater serves all clients, and we use the whole window. */
static bool agree(struct bench_group *group, struct bench_client *client, const struct deflate_params *deflate) {
    client->compressing = client->decoder.deflate = deflate->enabled;
    group->declined |= group->settings->compress && !deflate->enabled;
    if (!deflate->enabled || (!deflate->server_takeover && deflate->client_bits == WINDOW_BITS_MAX))
        return true;
    client_error(&group->error, WEIR_CLIENT_HANDSHAKE,
                 "the server accepted permessage-deflate, but not as it was offered");
    return false;
}

/* Checks a complete head; `rest` is what arrived after it. */
static bool bench_handshake_check(struct bench_group *group, struct bench_client *client, const char *bytes,
                                  size_t head_size, const char *rest, size_t rest_size) {
    char head[CLIENT_HANDSHAKE_HEAD_MAX + 1];
    struct client_handshake handshake = {0};
    memcpy(head, bytes, head_size);
    head[head_size] = '\0';
    return client_handshake_check(head, head_size, rest, rest_size, target_of(group, client)->key, &group->options,
                                  &handshake, &group->error) &&
           agree(group, client, &handshake.deflate);
}

/* Stores the beginning of an answer. */
static bool keep_head(struct bench_group *group, struct bench_client *client, const uint8_t *bytes, size_t size) {
    struct leftover *head = &client->head;
    if (head->size + size > CLIENT_HANDSHAKE_HEAD_MAX) {
        client_error(&group->error, WEIR_CLIENT_HANDSHAKE, "the head of the answer has more than %d bytes",
                     CLIENT_HANDSHAKE_HEAD_MAX);
        return false;
    }
    uint8_t *all = realloc(head->bytes, head->size + size);
    if (all == NULL) {
        client_error(&group->error, WEIR_CLIENT_NO_MEMORY, "out of memory for the answer");
        return false;
    }
    memcpy(all + head->size, bytes, size);
    head->bytes = all;
    head->size += (uint32_t)size;
    return true;
}

static void opened(struct bench_group *group, struct bench_client *client) {
    free(client->head.bytes);
    client->head = (struct leftover){0};
    count_opened(group, client);
    client->was_open = true;
    bench_client_enter(group, client, BENCH_OPEN);
    if (group->settings->scenario == SCENARIO_CONNECT)
        bench_client_close(group, client);
}

bool bench_handshake_take(struct bench_group *group, struct bench_client *client, uint8_t *bytes, size_t size) {
    size_t kept = client->head.size;
    const char *head = (const char *)bytes;
    if (kept > 0 || client_handshake_head_size(head, size) == 0) {
        size_t room = CLIENT_HANDSHAKE_HEAD_MAX - kept;
        if (!keep_head(group, client, bytes, kept > 0 && size > room ? room : size))
            return false;
        head = (const char *)client->head.bytes;
    }
    size_t all = kept > 0 ? client->head.size : size, head_size = client_handshake_head_size(head, all);
    if (head_size == 0 && all < CLIENT_HANDSHAKE_HEAD_MAX)
        return client_handshake_is_possible(head, all, &group->error);
    if (head_size == 0 || head_size > CLIENT_HANDSHAKE_HEAD_MAX) {
        client_error(&group->error, WEIR_CLIENT_HANDSHAKE, "the answer to the handshake has no end");
        return false;
    }
    size_t used = head_size - kept;
    if (!bench_handshake_check(group, client, head, head_size, (const char *)bytes + used, size - used))
        return false;
    opened(group, client);
    return client->state != BENCH_OPEN || exchange_take(group, client, bytes + used, size - used);
}
