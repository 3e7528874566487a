/* watcher.c - see watcher.h.
 *
 * A number below the base may change its socket at any moment: the library closes it and accepts another, or
 * adoption exchanges it. So what is only looked at is looked at in place, and before a socket is shut down it is
 * put into a number of our own (above the base, where adoption does not search, and taken from the start, so that
 * it needs no free descriptor) and looked at again there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/watcher.h"

#include <errno.h>
#include <fcntl.h>
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
#include "server/http/accept_guard.h"
#include "server/http/exchange.h"
#include "server/http/peer.h"
#include "server/log/log.h"

enum {
    LOOK_MS = 20,
    SILENT_MS = 1000, /* how long somebody may say nothing who was accepted before the kernel kept such clients */
    HURRY_MS = 2,
    QUIET_LOOKS = 10, /* in a row that found nobody, before it sleeps */
    FIRST_DESCRIPTOR = 3,
    LOOK_AT_ONCE = 512,
    DEFER_MAX_S = 15, /* more would need more retransmissions than the kernel makes */
};

/* What is known of a number: the socket that was unfinished there the last time. */
struct sight {
    uint64_t cookie; /* 0: none was */
    uint64_t since_ms;
};

struct place {
    bool taken;
    struct peer peer;
};

struct watcher {
    struct watcher_options options;
    pthread_mutex_t mutex; /* guards the places: peers whose requests are being answered */
    struct place *places;  /* limits.threads of them */
    int wake_event;
    _Atomic bool asleep, stopping;

    /* The watching thread's. */
    pthread_t thread;
    struct listeners listeners;
    struct accept_guard guard;
    uint16_t ports[LISTENERS_MAX];
    uint64_t deferred_ms;      /* the kernel has kept those who said nothing for so long; 0: it keeps nobody */
    uint64_t deferred_from_ms; /* who has been kept comes from then on, who came before the start does not */
    int own;                   /* the number for a socket that is to be shut down */
    struct sight *sights;      /* by number */
    struct half_open *unfinished;
    size_t unfinished_count; /* those that may be judged */
    size_t suspect_count;    /* those and what is too new to be judged */
    size_t all_count;
    bool closing; /* everything unfinished may be judged */
    char head[PEER_HEAD_MAX];
};

/* --- The HTTP threads' side -------------------------------------------------------------------------------- */

static bool is_held_locked(const struct watcher *watcher, const struct peer *peer) {
    for (unsigned i = 0; i < watcher->options.limits.threads; i++)
        if (watcher->places[i].taken && peer_equal(&watcher->places[i].peer, peer))
            return true;
    return false;
}

static bool is_held(struct watcher *watcher, const struct peer *peer) {
    pthread_mutex_lock(&watcher->mutex);
    bool held = is_held_locked(watcher, peer);
    pthread_mutex_unlock(&watcher->mutex);
    return held;
}

unsigned watcher_hold(struct watcher *watcher, const struct http_request *request) {
    struct peer peer = peer_of_text(request->peer_address, request->peer_port, request->local_port);
    unsigned place = 0;
    pthread_mutex_lock(&watcher->mutex);
    while (watcher->places[place].taken) /* one of them is free: each thread takes one at most */
        place++;
    watcher->places[place] = (struct place){true, peer};
    pthread_mutex_unlock(&watcher->mutex);
    return place;
}

void watcher_release(struct watcher *watcher, unsigned place) {
    pthread_mutex_lock(&watcher->mutex);
    watcher->places[place].taken = false;
    pthread_mutex_unlock(&watcher->mutex);
}

void watcher_wake(struct watcher *watcher) {
    if (atomic_load(&watcher->asleep) && atomic_exchange(&watcher->asleep, false))
        eventfd_write(watcher->wake_event, 1);
}

/* --- Looking at a socket ----------------------------------------------------------------------------------- */

static bool is_ours(const struct watcher *watcher, uint16_t port) {
    for (int i = 0; i < watcher->listeners.count; i++)
        if (watcher->ports[i] == port)
            return true;
    return false;
}

/* False if the number is no connection of a client. */
static bool read_peer(const struct watcher *watcher, int fd, struct peer *peer) {
    return peer_of_socket(fd, peer) && is_ours(watcher, peer->local_port);
}

static bool has_said_nothing(int fd) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_bytes_received == 0;
}

/* --- Looking at all ---------------------------------------------------------------------------------------- */

static void note_unfinished(struct watcher *watcher, int fd, const struct peer *peer, uint64_t cookie) {
    watcher->unfinished[watcher->unfinished_count++] =
        (struct half_open){.fd = fd,
                           .cookie = cookie,
                           .address = address_of_one_client(&peer->address),
                           .unlimited = address_is_in(&peer->address, watcher->options.trusted_proxies),
                           .since_ms = watcher->sights[fd].since_ms};
}

/* What is unfinished at first sight may be finished in a moment. */
static bool is_old_enough(const struct watcher *watcher, int fd, uint64_t now_ms) {
    uint64_t least = has_said_nothing(fd) ? SILENT_MS : LOOK_MS, timeout = watcher->options.limits.timeout_ms;
    if (least > timeout)
        least = timeout;
    return watcher->closing || now_ms - watcher->sights[fd].since_ms >= least;
}

/* Who has said nothing to the kernel either has been waiting for as long as it keeps such clients. */
static void look_at(struct watcher *watcher, int fd, uint64_t now_ms) {
    struct sight *sight = &watcher->sights[fd];
    struct peer peer;
    if (!read_peer(watcher, fd, &peer)) {
        sight->cookie = 0;
        return;
    }
    watcher->all_count++;
    uint64_t cookie = peer_cookie(fd);
    if (!peer_is_unfinished(fd, watcher->head) || is_held(watcher, &peer)) {
        sight->cookie = 0;
        return;
    }
    watcher->suspect_count++;
    if (sight->cookie != cookie) {
        bool deferred = watcher->deferred_ms > 0 && now_ms >= watcher->deferred_from_ms && has_said_nothing(fd);
        *sight = (struct sight){cookie, now_ms - (deferred ? watcher->deferred_ms : 0)};
    }
    if (is_old_enough(watcher, fd, now_ms))
        note_unfinished(watcher, fd, &peer, cookie);
}

static void look_at_all(struct watcher *watcher, uint64_t now_ms) {
    struct pollfd numbers[LOOK_AT_ONCE];
    watcher->unfinished_count = watcher->suspect_count = watcher->all_count = 0;
    for (int first = FIRST_DESCRIPTOR; first < watcher->options.adoption->base; first += LOOK_AT_ONCE) {
        int left = watcher->options.adoption->base - first, count = left < LOOK_AT_ONCE ? left : LOOK_AT_ONCE;
        for (int i = 0; i < count; i++)
            numbers[i] = (struct pollfd){.fd = first + i};
        while (poll(numbers, (nfds_t)count, 0) < 0 && errno == EINTR)
            continue;
        for (int i = 0; i < count; i++)
            if (!(numbers[i].revents & POLLNVAL))
                look_at(watcher, first + i, now_ms);
    }
}

/* --- Cutting off ------------------------------------------------------------------------------------------- */

/* Whether the socket in our own number is still unfinished, and still the library's: one that has been adopted
 * since has left its number. */
static bool still_unfinished_locked(struct watcher *watcher, const struct half_open *request) {
    struct peer peer;
    return peer_cookie(watcher->own) == request->cookie && peer_cookie(request->fd) == request->cookie &&
           read_peer(watcher, watcher->own, &peer) && !is_held_locked(watcher, &peer) &&
           peer_is_unfinished(watcher->own, watcher->head);
}

static bool cut_off(struct watcher *watcher, const struct half_open *request) {
    if (exchange_put(request->fd, watcher->own) != 0)
        return false; /* closed meanwhile */
    pthread_mutex_lock(&watcher->mutex);
    bool unfinished = still_unfinished_locked(watcher, request);
    if (unfinished)
        shutdown(watcher->own, SHUT_RDWR);
    pthread_mutex_unlock(&watcher->mutex);
    exchange_put(watcher->options.adoption->dead_socket, watcher->own);
    return unfinished;
}

static void judge(struct watcher *watcher, uint64_t now_ms) {
    static struct log_limit limit;
    unsigned cut[HALF_OPEN_SHED + 1] = {0};
    const struct half_open *last = NULL;
    if (half_open_judge(watcher->unfinished, watcher->unfinished_count, watcher->all_count,
                        &watcher->options.limits, now_ms) == 0)
        return;
    for (size_t i = 0; i < watcher->unfinished_count; i++) {
        const struct half_open *request = &watcher->unfinished[i];
        if (request->verdict == HALF_OPEN_STAYS || !cut_off(watcher, request))
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
    watcher->closing = true;
    look_at_all(watcher, pool_now());
    for (size_t i = 0; i < watcher->unfinished_count; i++)
        cut_off(watcher, &watcher->unfinished[i]);
}

/* --- The thread -------------------------------------------------------------------------------------------- */

static void wait_for_event(const struct watcher *watcher, int timeout_ms) {
    struct pollfd event = {.fd = watcher->wake_event, .events = POLLIN};
    eventfd_t count;
    poll(&event, 1, timeout_ms);
    eventfd_read(watcher->wake_event, &count);
}

/* Until a thread begins with a connection, or one stands in the queue: the library may be unable to accept it. */
static void wait_for_clients(const struct watcher *watcher) {
    struct pollfd events[LISTENERS_MAX + 1];
    memcpy(events, watcher->guard.polled, sizeof watcher->guard.polled);
    events[watcher->listeners.count] = (struct pollfd){.fd = watcher->wake_event, .events = POLLIN};
    poll(events, (nfds_t)watcher->listeners.count + 1, -1);
}

static bool look(struct watcher *watcher) {
    uint64_t now = pool_now();
    look_at_all(watcher, now);
    judge(watcher, now);
    *watcher->options.refused += accept_guard_look(&watcher->guard, now);
    return watcher->all_count > 0 || watcher->guard.pending || watcher->guard.on;
}

static void sleep_if_quiet(struct watcher *watcher) {
    atomic_store(&watcher->asleep, true);
    if (!look(watcher)) /* who came before the line above has not woken us */
        wait_for_clients(watcher);
    atomic_store(&watcher->asleep, false);
}

static void *watch(void *argument) {
    struct watcher *watcher = argument;
    unsigned many = half_open_many(&watcher->options.limits);
    unsigned quiet = 0;
    while (!atomic_load(&watcher->stopping)) {
        quiet = look(watcher) ? 0 : quiet + 1;
        if (quiet == QUIET_LOOKS) {
            sleep_if_quiet(watcher);
            quiet = 0;
        }
        wait_for_event(watcher, watcher->suspect_count >= many ? HURRY_MS : LOOK_MS);
    }
    return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

struct watcher *watcher_create(const struct watcher_options *options) {
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL)
        return NULL;
    watcher->options = *options;
    size_t numbers = (size_t)options->adoption->base;
    watcher->places = calloc(options->limits.threads, sizeof *watcher->places);
    watcher->sights = calloc(numbers, sizeof *watcher->sights);
    watcher->unfinished = calloc(numbers, sizeof *watcher->unfinished);
    watcher->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watcher->own = fcntl(options->adoption->dead_socket, F_DUPFD_CLOEXEC, options->adoption->base);
    pthread_mutex_init(&watcher->mutex, NULL);
    if (watcher->places != NULL && watcher->sights != NULL && watcher->unfinished != NULL &&
        watcher->wake_event >= 0 && watcher->own >= 0)
        return watcher;
    watcher_destroy(watcher);
    return NULL;
}

void watcher_destroy(struct watcher *watcher) {
    if (watcher == NULL)
        return;
    if (watcher->own >= 0)
        close(watcher->own);
    if (watcher->wake_event >= 0)
        close(watcher->wake_event);
    pthread_mutex_destroy(&watcher->mutex);
    free(watcher->unfinished);
    free(watcher->sights);
    free(watcher->places);
    free(watcher);
}

/* The kernel hands over who has said nothing after its first, second or third ... retransmission at the earliest:
 * 1, 3, 7 ... seconds. What is left of the handshake timeout then is the watcher's. */
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
    for (int i = 0; i < listeners->count; i++)
        watcher->ports[i] = peer_local_port(listeners->fds[i]);
    defer_accept(watcher);
    if (accept_guard_open(&watcher->guard, &watcher->listeners, watcher->options.adoption->base) != 0)
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
