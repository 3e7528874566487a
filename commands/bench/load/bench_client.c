/* bench_client.c - see bench_client.h. States, lists and the counts of clients; bench_handshake.c has the opening
 * handshake.
 *
 * Epoll is edge-triggered, and each descriptor is added once. A read that does not fill the buffer has emptied
 * the socket, unless epoll reported the end of the connection with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/bench_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/error.h"
#include "commands/bench/load/bench_handshake.h"
#include "commands/bench/load/exchange.h"
#include "ws/close_code.h"

#define SECOND UINT64_C(1000000000)
#define REST   (SECOND / 10) /* pause after a failure, so that a dead server is not flooded */

enum { READS_MAX = 8 }; /* reads of one client before other clients and the clock have their turn */

uint64_t bench_clock(void) {
    return clock_ns();
}

/* --- States and their lists -------------------------------------------------------------------------------- */

static struct bench_list *list_of(struct bench_group *group, enum bench_client_state state) {
    switch (state) {
    case BENCH_WAITING:
        return &group->waiting;
    case BENCH_CONNECTING:
    case BENCH_HANDSHAKE:
        return &group->handshakes;
    case BENCH_CLOSING:
        return &group->closing;
    case BENCH_RESTING:
        return &group->resting;
    default:
        return NULL;
    }
}

static void append(struct bench_list *list, struct bench_client *client) {
    client->previous = list->last;
    client->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = client;
    list->last = client;
}

static void take_off(struct bench_list *list, struct bench_client *client) {
    *(client->previous != NULL ? &client->previous->next : &list->first) = client->next;
    *(client->next != NULL ? &client->next->previous : &list->last) = client->previous;
}

static void leave_feeding(struct bench_group *group, struct bench_client *client) {
    take_off(&group->feeding, client);
    client->fed = false;
}

void bench_client_enter(struct bench_group *group, struct bench_client *client, enum bench_client_state state) {
    struct bench_list *from = list_of(group, client->state), *to = list_of(group, state);
    if (client->fed)
        leave_feeding(group, client);
    group->open += (unsigned)(state == BENCH_OPEN) - (unsigned)(client->state == BENCH_OPEN);
    group->handshaking += (unsigned)(to == &group->handshakes) - (unsigned)(from == &group->handshakes);
    client->state = state;
    if (from == to)
        return;
    if (from != NULL)
        take_off(from, client);
    if (to != NULL) {
        append(to, client);
        client->since = bench_clock();
    }
}

void bench_client_wait(struct bench_group *group, struct bench_client *client) {
    client->state = BENCH_CLOSED;
    bench_client_enter(group, client, BENCH_WAITING);
}

/* --- The end of a connection ------------------------------------------------------------------------------- */

void bench_client_drop(struct bench_group *group, struct bench_client *client) {
    if (client->state == BENCH_CLOSED || client->state == BENCH_RESTING)
        return;
    if (group->settings->scenario != SCENARIO_BROADCAST) {
        uint64_t outstanding = client->queued - client->received;
        group->outstanding -= outstanding;
        group->result.missing += outstanding;
    }
    if (client->state != BENCH_WAITING && client->descriptor >= 0)
        close(client->descriptor);
    free(client->head.bytes);
    client->head = (struct leftover){0};
    exchange_release(client);
    bench_client_enter(group, client, BENCH_CLOSED);
}

/* Ends a connection. In the scenario `connect`, the next connection follows. */
static void end(struct bench_group *group, struct bench_client *client, enum bench_client_state next) {
    bench_client_drop(group, client);
    if (group->settings->scenario == SCENARIO_CONNECT && group->sending)
        bench_client_enter(group, client, next);
}

void bench_client_fail(struct bench_group *group, struct bench_client *client) {
    enum bench_client_state state = client->state;
    if (state == BENCH_CLOSING) {
        end(group, client, BENCH_WAITING);
        return;
    }
    if (state == BENCH_OPEN) {
        group->second.counts.dropped++;
        group->result.counts.dropped++;
    } else {
        group->second.counts.failed++;
        group->result.counts.failed++;
    }
    group->result.failures[group->error.cause]++;
    result_explain(&group->result, "%s", group->error.text);
    end(group, client, BENCH_RESTING);
}

void bench_client_give_up(struct bench_group *group, struct bench_client *client) {
    client_error(&group->error, WEIR_CLIENT_TIMED_OUT, "no response");
    bench_client_fail(group, client);
}

static enum weir_client_cause cause_of(int error) {
    switch (error) {
    case ECONNREFUSED:
        return WEIR_CLIENT_REFUSED;
    case ETIMEDOUT:
        return WEIR_CLIENT_TIMED_OUT;
    case ECONNRESET:
    case EPIPE:
        return WEIR_CLIENT_LOST;
    case ENOMEM:
    case ENOBUFS:
        return WEIR_CLIENT_NO_MEMORY;
    default:
        return WEIR_CLIENT_UNREACHABLE;
    }
}

void bench_client_fail_errno(struct bench_group *group, struct bench_client *client) {
    const char *url = group->targets[client->id % group->settings->url_count].text;
    client_error(&group->error, cause_of(errno), "%s: %s", url, strerror(errno));
    bench_client_fail(group, client);
}

/* --- Open connections -------------------------------------------------------------------------------------- */

static bool take(struct bench_group *group, struct bench_client *client, size_t size) {
    if (client->state == BENCH_HANDSHAKE)
        return bench_handshake_take(group, client, group->input, size);
    if (client->state == BENCH_OPEN)
        return exchange_take(group, client, group->input, size);
    return true; /* closing: the bytes no longer matter */
}

static bool reads(const struct bench_client *client) {
    return client->state == BENCH_HANDSHAKE || client->state == BENCH_OPEN || client->state == BENCH_CLOSING;
}

/* Makes the next epoll_wait() report the unread bytes, even if no more arrive. */
static void read_on_later(struct bench_group *group, struct bench_client *client) {
    struct epoll_event event = {.events = BENCH_CLIENT_EVENTS, .data.ptr = client};
    if (epoll_ctl(group->epoll, EPOLL_CTL_MOD, client->descriptor, &event) != 0)
        bench_client_fail_errno(group, client);
}

static void read_all(struct bench_group *group, struct bench_client *client, bool to_the_end) {
    for (unsigned count = 0; reads(client); count++) {
        if (count == READS_MAX) {
            read_on_later(group, client);
            return;
        }
        ssize_t got = recv(client->descriptor, group->input, BENCH_INPUT_SIZE, 0);
        group->now = bench_clock();
        if (got < 0 && errno == EAGAIN)
            return;
        if (got < 0) {
            bench_client_fail_errno(group, client);
        } else if (got == 0) {
            client_error(&group->error, WEIR_CLIENT_LOST, "the server ended the connection without a Close");
            bench_client_fail(group, client);
        } else if (!take(group, client, (size_t)got)) {
            bench_client_fail(group, client);
        } else if (got < BENCH_INPUT_SIZE && !to_the_end) {
            return;
        }
    }
}

/* True if the client can send only when it is fed, because it gets no answers that trigger its next messages. */
static bool wants_more(const struct bench_group *group, const struct bench_client *client) {
    return group->settings->expect == EXPECT_NONE && group->sending && !settings_open_loop(group->settings) &&
           client->sent == client->queued && !client->fed;
}

void bench_client_flush(struct bench_group *group, struct bench_client *client) {
    if (client->state != BENCH_OPEN)
        return;
    if (!exchange_flush(group, client)) {
        bench_client_fail_errno(group, client);
    } else if (wants_more(group, client)) {
        append(&group->feeding, client);
        client->fed = true;
    }
}

void bench_client_feed(struct bench_group *group, unsigned count) {
    for (struct bench_client *client; count > 0 && (client = group->feeding.first) != NULL; count--) {
        leave_feeding(group, client);
        bench_client_start(group, client);
    }
}

void bench_client_ready(struct bench_group *group, struct bench_client *client, uint32_t events) {
    if (client->state == BENCH_CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        bench_handshake_begin(group, client);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
        read_all(group, client, events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP));
    bench_client_flush(group, client);
}

void bench_client_start(struct bench_group *group, struct bench_client *client) {
    if (client->state != BENCH_OPEN)
        return;
    group->now = bench_clock();
    for (unsigned i = 0; i < group->settings->window; i++)
        exchange_queue(group, client, group->now);
    bench_client_flush(group, client);
}

void bench_client_close(struct bench_group *group, struct bench_client *client) {
    if (client->state != BENCH_OPEN)
        return;
    if (exchange_close(client, CLOSE_NORMAL))
        bench_client_enter(group, client, BENCH_CLOSING);
    else
        end(group, client, BENCH_WAITING);
}

/* --- Time -------------------------------------------------------------------------------------------------- */

static uint64_t until(const struct bench_list *list, uint64_t duration) {
    return list->first != NULL ? list->first->since + duration : UINT64_MAX;
}

static uint64_t earlier(uint64_t one, uint64_t other) {
    return one < other ? one : other;
}

uint64_t bench_client_expire(struct bench_group *group, uint64_t now) {
    uint64_t timeout = (uint64_t)(group->settings->timeout * (double)SECOND);
    while (until(&group->handshakes, timeout) <= now) {
        client_error(&group->error, WEIR_CLIENT_TIMED_OUT, "no answer to the handshake within %g s",
                     group->settings->timeout);
        bench_client_fail(group, group->handshakes.first);
    }
    while (until(&group->closing, timeout) <= now)
        end(group, group->closing.first, BENCH_WAITING);
    while (until(&group->resting, REST) <= now)
        bench_client_enter(group, group->resting.first, BENCH_WAITING);
    return earlier(until(&group->resting, REST),
                   earlier(until(&group->handshakes, timeout), until(&group->closing, timeout)));
}
