/* descriptor_guard.c - see descriptor_guard.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/descriptor_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core/descriptors.h"
#include "server/http/civetweb/exchange.h"
#include "server/http/civetweb/short_answer.h"
#include "server/log/log.h"

enum {
    ANSWERS_AT_ONCE = 64, /* clients answered in one look, at most */
    ENOUGH = 8,           /* descriptors that must be free before the library accepts again */
    ON_AT_LEAST_MS = 250,
    REQUEST_MAX = 16384
};

int descriptor_guard_open(struct descriptor_guard *guard, const struct listeners *listeners, int base) {
    memset(guard, 0, sizeof *guard);
    guard->listeners = listeners;
    guard->quiet = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    guard->spare = eventfd(0, EFD_CLOEXEC);
    bool complete = guard->quiet >= 0 && guard->spare >= 0;
    for (int i = 0; i < listeners->count; i++) {
        fcntl(listeners->fds[i], F_SETFL, O_NONBLOCK); /* a waiting client may have been answered meanwhile */
        guard->polled[i] = (struct pollfd){descriptors_duplicate(listeners->fds[i], base), POLLIN, 0};
        complete = complete && guard->polled[i].fd >= 0;
    }
    if (complete)
        return 0;
    int error = errno;
    descriptor_guard_close(guard);
    errno = error;
    return -1;
}

static void descriptor_guard_turn_off(struct descriptor_guard *guard) {
    for (int i = 0; i < guard->listeners->count; i++)
        exchange_put(guard->polled[i].fd, guard->listeners->fds[i]);
    guard->on = false;
    eventfd_write(guard->quiet, 1); /* the library still polls it: let it look again */
    log_event(LOG_HTTP, LOG_WARNING, "descriptors", LOG_FIELDS(LOG_BOOLEAN("available", true)));
}

static void descriptor_guard_turn_on(struct descriptor_guard *guard, uint64_t now_ms) {
    eventfd_t count;
    eventfd_read(guard->quiet, &count);
    for (int i = 0; i < guard->listeners->count; i++)
        exchange_put(guard->quiet, guard->listeners->fds[i]);
    guard->on = true;
    guard->since_ms = now_ms;
}

void descriptor_guard_close(struct descriptor_guard *guard) {
    if (guard->on)
        descriptor_guard_turn_off(guard);
    for (int i = 0; i < guard->listeners->count; i++)
        if (guard->polled[i].fd >= 0)
            close(guard->polled[i].fd);
    if (guard->quiet >= 0)
        close(guard->quiet);
    if (guard->spare >= 0)
        close(guard->spare);
}

/* How many of up to `wanted` descriptors could be opened. It opens sockets, since a duplicate would not show that
 * the whole system has run out. */
static int descriptor_guard_count_free(int wanted) {
    int opened[ENOUGH], count = 0;
    while (count < wanted && (opened[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(opened[i]);
    return count;
}

/* Reads first what has come of the request: closing with unread bytes would reset the connection, and the answer
 * would be lost. */
static void descriptor_guard_answer(int fd) {
    char request[REQUEST_MAX];
    recv(fd, request, sizeof request, MSG_DONTWAIT);
    short_answer(fd, 503, "The server is full.");
    shutdown(fd, SHUT_WR);
}

/* Returns false if no client is there, or another thread has taken the free number first. */
static bool descriptor_guard_answer_one(struct descriptor_guard *guard, int listener) {
    if (guard->spare >= 0)
        close(guard->spare);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        descriptor_guard_answer(fd);
        close(fd);
    }
    guard->spare = eventfd(0, EFD_CLOEXEC);
    return fd >= 0;
}

static bool descriptor_guard_somebody_waits(struct descriptor_guard *guard) {
    return poll(guard->polled, (nfds_t)guard->listeners->count, 0) > 0;
}

static unsigned descriptor_guard_answer_all(struct descriptor_guard *guard) {
    unsigned answered = 0;
    for (int i = 0; descriptor_guard_somebody_waits(guard) && i < guard->listeners->count; i++)
        while (guard->polled[i].revents != 0 && answered < ANSWERS_AT_ONCE &&
               descriptor_guard_answer_one(guard, guard->polled[i].fd))
            answered++;
    return answered;
}

unsigned descriptor_guard_look(struct descriptor_guard *guard, uint64_t now_ms) {
    static struct log_limit limit;
    bool pending = descriptor_guard_somebody_waits(guard), stuck = pending && guard->pending;
    guard->pending = pending;
    if (!guard->on && stuck && descriptor_guard_count_free(1) == 0)
        descriptor_guard_turn_on(guard, now_ms);
    if (!guard->on)
        return 0;
    unsigned answered = descriptor_guard_answer_all(guard);
    if (answered > 0)
        log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "descriptors",
                          LOG_FIELDS(LOG_BOOLEAN("available", false), LOG_NUMBER("refused", answered)));
    if (now_ms - guard->since_ms >= ON_AT_LEAST_MS && descriptor_guard_count_free(ENOUGH) == ENOUGH)
        descriptor_guard_turn_off(guard);
    return answered;
}
