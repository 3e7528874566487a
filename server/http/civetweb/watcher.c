/* watcher.c - see watcher.h. A number may become another socket only while its client is being served or closed
 * (in_service.h). So plain looks take no lock. Before the watcher answers a socket and shuts it down, it looks
 * again under the lock of the clients in service.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/watcher.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/pool.h"
#include "server/http/civetweb/accept_guard.h"
#include "server/http/civetweb/in_service.h"
#include "server/http/civetweb/short_answer.h"
#include "server/log/log.h"

enum {
    LOOK_MS = 20,
    SHARE = 20,       /* a look takes at most a twentieth of the watcher's time */
    QUIET_LOOKS = 10, /* looks in a row that found no client, before it sleeps */
    DEFER_MAX_S = 15, /* more would need more retransmissions than the kernel makes */
    SERVED = 1,       /* the state of a client that is being served */
    MORE = 64,        /* sockets that the library may have in addition to those of its threads and its queue */
};

struct watcher {
    struct watcher_options options;
    struct in_service in_service;
    int wake_event;
    _Atomic bool asleep, stopping;

    /* What follows belongs to the watching thread. */
    pthread_t thread;
    struct listeners listeners;
    struct accept_guard guard;
    uint64_t deferred_ms;      /* how long the kernel keeps clients that send nothing; 0: it keeps none */
    uint64_t deferred_from_ms; /* clients that arrive from then on have been kept so long, earlier ones have not */
    uint64_t now_ms;
    unsigned most;                       /* how many requests there may be */
    struct half_open *unfinished, *last; /* found now and at the last look, in the order of their numbers */
    size_t unfinished_count, last_count;
    size_t last_next; /* index in `last`: those with a lower number have been passed */
    size_t all_count; /* including finished requests */
    char head[PEER_HEAD_MAX];
};

/* --- The HTTP threads' side -------------------------------------------------------------------------------- */

bool watcher_hold(struct watcher *watcher, const char *address, uint16_t port, uint16_t local_port) {
    return in_service_begin(&watcher->in_service, address, port, local_port, SERVED);
}

void watcher_release(struct watcher *watcher) {
    in_service_end(&watcher->in_service);
}

void watcher_wake(struct watcher *watcher) {
    if (atomic_load(&watcher->asleep) && atomic_exchange(&watcher->asleep, false))
        eventfd_write(watcher->wake_event, 1);
}

/* --- Looking at all ---------------------------------------------------------------------------------------- */

static bool is_served(struct watcher *watcher, const struct peer *peer) {
    in_service_lock(&watcher->in_service);
    bool served = in_service_state_locked(&watcher->in_service, peer) != 0;
    in_service_unlock(&watcher->in_service);
    return served;
}

static bool has_said_nothing(int fd) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_bytes_received == 0;
}

/* When the socket was first found unfinished. If the client has sent nothing, the kernel may have kept it before,
 * and then that time counts too. */
static uint64_t unfinished_since(struct watcher *watcher, int fd, uint64_t cookie, bool silent) {
    while (watcher->last_next < watcher->last_count && watcher->last[watcher->last_next].fd < fd)
        watcher->last_next++;
    const struct half_open *last = &watcher->last[watcher->last_next];
    if (watcher->last_next < watcher->last_count && last->cookie == cookie)
        return last->since_ms;
    bool deferred = silent && watcher->deferred_ms > 0 && watcher->now_ms >= watcher->deferred_from_ms;
    return watcher->now_ms - (deferred ? watcher->deferred_ms : 0);
}

static void look_at(void *context, int fd, const struct peer *peer) {
    struct watcher *watcher = context;
    watcher->all_count++;
    if (watcher->unfinished_count == watcher->most || !peer_is_unfinished(fd, watcher->head) ||
        is_served(watcher, peer))
        return;
    bool silent = has_said_nothing(fd);
    uint64_t cookie = peer_cookie(fd);
    watcher->unfinished[watcher->unfinished_count++] =
        (struct half_open){.fd = fd,
                           .cookie = cookie,
                           .address = address_of_one_client(&peer->address),
                           .unlimited = address_is_in(&peer->address, watcher->options.trusted_proxies),
                           .silent = silent,
                           .since_ms = unfinished_since(watcher, fd, cookie, silent)};
}

static int by_number(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

static void look_at_all(struct watcher *watcher) {
    struct half_open *free = watcher->last;
    watcher->last = watcher->unfinished;
    watcher->last_count = watcher->unfinished_count;
    watcher->last_next = 0;
    qsort(watcher->last, watcher->last_count, sizeof *watcher->last, by_number); /* reordered by the judge */
    watcher->unfinished = free;
    watcher->unfinished_count = watcher->all_count = 0;
    watcher->now_ms = pool_now();
    listeners_each_client(&watcher->listeners, look_at, watcher);
}

/* --- Cutting off ------------------------------------------------------------------------------------------- */

static bool is_still_unfinished_locked(struct watcher *watcher, const struct half_open *request,
                                       struct peer *peer) {
    return peer_cookie(request->fd) == request->cookie &&
           listeners_accepted(&watcher->listeners, request->fd, peer) &&
           in_service_state_locked(&watcher->in_service, peer) == 0 &&
           peer_is_unfinished(request->fd, watcher->head);
}

/* Cuts off a request, with an answer unless the client has sent nothing. Some browsers connect in advance, and
 * would take the answer for that to a later request. */
static bool cut_off(struct watcher *watcher, const struct half_open *request, int status, const char *text) {
    struct peer peer;
    in_service_lock(&watcher->in_service);
    bool unfinished = is_still_unfinished_locked(watcher, request, &peer);
    if (unfinished && !has_said_nothing(request->fd))
        short_answer(request->fd, status, text);
    if (unfinished) {
        shutdown(request->fd, SHUT_RDWR);
        in_service_cut_locked(&watcher->in_service, &peer);
    }
    in_service_unlock(&watcher->in_service);
    return unfinished;
}

static bool carry_out(struct watcher *watcher, const struct half_open *request) {
    if (request->verdict == HALF_OPEN_TIMED_OUT)
        return cut_off(watcher, request, 408, "The request was not complete within handshake_timeout.");
    return cut_off(watcher, request, 503, "The server is busy, and the request was not complete.");
}

static void judge(struct watcher *watcher) {
    static struct log_limit limit;
    unsigned cut[HALF_OPEN_SHED + 1] = {0};
    const struct half_open *last = NULL;
    if (half_open_judge(watcher->unfinished, watcher->unfinished_count, watcher->all_count,
                        &watcher->options.limits, watcher->now_ms) == 0)
        return;
    for (size_t i = 0; i < watcher->unfinished_count; i++) {
        const struct half_open *request = &watcher->unfinished[i];
        if (request->verdict == HALF_OPEN_STAYS || !carry_out(watcher, request))
            continue;
        cut[request->verdict]++;
        last = request;
    }
    if (last == NULL)
        return;
    *watcher->options.closed += cut[HALF_OPEN_GREEDY] + cut[HALF_OPEN_SHED] + cut[HALF_OPEN_TIMED_OUT];
    char address[ADDRESS_TEXT_SIZE];
    address_print(&last->address, address);
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "half_open",
                      LOG_FIELDS(LOG_TEXT("peer", address), LOG_NUMBER("beyond_limit", cut[HALF_OPEN_GREEDY]),
                                 LOG_NUMBER("oldest", cut[HALF_OPEN_SHED]),
                                 LOG_NUMBER("timed_out", cut[HALF_OPEN_TIMED_OUT]),
                                 LOG_NUMBER("total", *watcher->options.closed)));
}

void watcher_close_all(struct watcher *watcher) {
    look_at_all(watcher);
    for (size_t i = 0; i < watcher->unfinished_count; i++)
        cut_off(watcher, &watcher->unfinished[i], 503, "The server is stopping.");
}

/* --- The thread -------------------------------------------------------------------------------------------- */

static void wait_for_event(const struct watcher *watcher, int timeout_ms) {
    struct pollfd event = {.fd = watcher->wake_event, .events = POLLIN};
    eventfd_t count;
    poll(&event, 1, timeout_ms);
    eventfd_read(watcher->wake_event, &count);
}

/* Waits until a thread begins with a connection, or a client is in a listener's queue, since the library may be
 * unable to accept it. */
static void wait_for_clients(const struct watcher *watcher) {
    struct pollfd events[LISTENERS_MAX + 1];
    memcpy(events, watcher->guard.polled, sizeof watcher->guard.polled);
    events[watcher->listeners.count] = (struct pollfd){.fd = watcher->wake_event, .events = POLLIN};
    poll(events, (nfds_t)watcher->listeners.count + 1, -1);
}

static bool look(struct watcher *watcher) {
    look_at_all(watcher);
    judge(watcher);
    *watcher->options.refused += accept_guard_look(&watcher->guard, watcher->now_ms);
    return watcher->all_count > 0 || watcher->guard.pending || watcher->guard.on;
}

static void sleep_if_quiet(struct watcher *watcher) {
    atomic_store(&watcher->asleep, true);
    if (!look(watcher)) /* clients that came before the line above have not woken us */
        wait_for_clients(watcher);
    atomic_store(&watcher->asleep, false);
}

/* If others have so many descriptors that a look takes long, it looks less often. */
static int pause_after(uint64_t look_ms) {
    return look_ms * SHARE < LOOK_MS ? LOOK_MS : (int)(look_ms * SHARE);
}

static void *watch(void *argument) {
    struct watcher *watcher = argument;
    unsigned quiet = 0;
    while (!atomic_load(&watcher->stopping)) {
        uint64_t start = pool_now();
        quiet = look(watcher) ? 0 : quiet + 1;
        int pause = pause_after(pool_now() - start);
        if (quiet == QUIET_LOOKS) {
            sleep_if_quiet(watcher);
            quiet = 0;
        }
        wait_for_event(watcher, pause);
    }
    return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

struct watcher *watcher_create(const struct watcher_options *options) {
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL)
        return NULL;
    watcher->options = *options;
    watcher->most = options->limits.threads + options->limits.queue + MORE;
    watcher->unfinished = calloc(watcher->most, sizeof *watcher->unfinished);
    watcher->last = calloc(watcher->most, sizeof *watcher->last);
    watcher->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (in_service_init(&watcher->in_service, options->limits.threads, watcher->most) == 0 &&
        watcher->unfinished != NULL && watcher->last != NULL && watcher->wake_event >= 0)
        return watcher;
    watcher_destroy(watcher);
    return NULL;
}

void watcher_destroy(struct watcher *watcher) {
    if (watcher == NULL)
        return;
    if (watcher->wake_event >= 0)
        close(watcher->wake_event);
    in_service_destroy(&watcher->in_service);
    free(watcher->unfinished);
    free(watcher->last);
    free(watcher);
}

/* The kernel hands over a client that has sent nothing only after its first, second, third ... retransmission, at
 * 1, 3, 7 ... seconds. The watcher judges it for the rest of the handshake timeout. */
static void defer_accept(struct watcher *watcher) {
    int seconds = 0;
    uint64_t most = watcher->options.limits.timeout_ms / 1000;
    while (seconds < DEFER_MAX_S && 2 * (uint64_t)seconds + 1 <= most)
        seconds = 2 * seconds + 1;
    bool deferred = seconds > 0;
    for (int i = 0; i < watcher->listeners.count; i++)
        deferred = deferred && setsockopt(watcher->listeners.fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
                                          sizeof seconds) == 0;
    watcher->deferred_ms = deferred ? (uint64_t)seconds * 1000 : 0;
    watcher->deferred_from_ms = pool_now() + watcher->deferred_ms - LOOK_MS; /* the kernel's clock is coarser */
}

int watcher_start(struct watcher *watcher, const struct listeners *listeners) {
    watcher->listeners = *listeners;
    defer_accept(watcher);
    if (accept_guard_open(&watcher->guard, &watcher->listeners, watcher->options.base) != 0)
        return -1;
    int error = pthread_create(&watcher->thread, NULL, watch, watcher);
    if (error == 0)
        return 0;
    accept_guard_close(&watcher->guard);
    errno = error;
    return -1;
}

void watcher_stop(struct watcher *watcher) {
    atomic_store(&watcher->stopping, true);
    eventfd_write(watcher->wake_event, 1);
    pthread_join(watcher->thread, NULL);
    accept_guard_close(&watcher->guard);
}
