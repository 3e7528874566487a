/* half_open_reaper.c - see half_open_reaper.h. A number may become another socket only while its client is being
 * served or closed (thread_clients.h). So plain looks take no lock. Before the reaper answers a socket and shuts it
 * down, it looks again under the lock of the clients that threads have.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/half_open_reaper.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#include "server/http/civetweb/descriptor_guard.h"
#include "server/http/civetweb/received.h"
#include "server/http/civetweb/short_answer.h"
#include "server/http/civetweb/thread_clients.h"
#include "server/log/log.h"

enum {
    LOOK_MS = 20,
    SHARE = 20,       /* a look takes at most a twentieth of the reaper's time */
    QUIET_LOOKS = 10, /* looks in a row that found no client, before it sleeps */
    DEFER_MAX_S = 15, /* more would need more retransmissions than the kernel makes */
    SERVED = 1,       /* the state of a client that is being served */
    MORE = 64,        /* sockets that the library may have in addition to those of its threads and its queue */
};

struct half_open_reaper {
    struct half_open_reaper_options options;
    struct thread_clients thread_clients;
    int wake_event;
    _Atomic bool asleep, stopping;

    /* What follows belongs to the watching thread. */
    pthread_t thread;
    struct listeners listeners;
    struct descriptor_guard guard;
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

bool half_open_reaper_enter(struct half_open_reaper *reaper, const char *address, uint16_t port,
                            uint16_t local_port) {
    return thread_clients_begin(&reaper->thread_clients, address, port, local_port, SERVED);
}

void half_open_reaper_leave(struct half_open_reaper *reaper) {
    thread_clients_end(&reaper->thread_clients);
}

void half_open_reaper_wake(struct half_open_reaper *reaper) {
    if (atomic_load(&reaper->asleep) && atomic_exchange(&reaper->asleep, false))
        eventfd_write(reaper->wake_event, 1);
}

/* --- Looking at all ---------------------------------------------------------------------------------------- */

static bool half_open_reaper_is_served(struct half_open_reaper *reaper, const struct peer *peer) {
    thread_clients_lock(&reaper->thread_clients);
    bool served = thread_clients_state_locked(&reaper->thread_clients, peer) != 0;
    thread_clients_unlock(&reaper->thread_clients);
    return served;
}

/* When the socket was first found unfinished. If the client has sent nothing, the kernel may have kept it before,
 * and then that time counts too. */
static uint64_t half_open_reaper_unfinished_since(struct half_open_reaper *reaper, int fd, uint64_t cookie,
                                                  bool silent) {
    while (reaper->last_next < reaper->last_count && reaper->last[reaper->last_next].fd < fd)
        reaper->last_next++;
    const struct half_open *last = &reaper->last[reaper->last_next];
    if (reaper->last_next < reaper->last_count && last->cookie == cookie)
        return last->since_ms;
    bool deferred = silent && reaper->deferred_ms > 0 && reaper->now_ms >= reaper->deferred_from_ms;
    return reaper->now_ms - (deferred ? reaper->deferred_ms : 0);
}

static void half_open_reaper_look_at(void *context, int fd, const struct peer *peer) {
    struct half_open_reaper *reaper = context;
    reaper->all_count++;
    if (reaper->unfinished_count == reaper->most || !peer_is_unfinished(fd, reaper->head) ||
        half_open_reaper_is_served(reaper, peer))
        return;
    bool silent = received_nothing(fd);
    uint64_t cookie = peer_cookie(fd);
    reaper->unfinished[reaper->unfinished_count++] =
        (struct half_open){.fd = fd,
                           .cookie = cookie,
                           .address = address_of_one_client(&peer->address),
                           .unlimited = address_is_in(&peer->address, reaper->options.trusted_proxies),
                           .silent = silent,
                           .since_ms = half_open_reaper_unfinished_since(reaper, fd, cookie, silent)};
}

static int half_open_reaper_by_number(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

static void half_open_reaper_look_at_all(struct half_open_reaper *reaper) {
    struct half_open *free = reaper->last;
    reaper->last = reaper->unfinished;
    reaper->last_count = reaper->unfinished_count;
    reaper->last_next = 0;
    qsort(reaper->last, reaper->last_count, sizeof *reaper->last,
          half_open_reaper_by_number); /* reordered by half_open_decide() */
    reaper->unfinished = free;
    reaper->unfinished_count = reaper->all_count = 0;
    reaper->now_ms = pool_now();
    listeners_each_client(&reaper->listeners, half_open_reaper_look_at, reaper);
}

/* --- Cutting off ------------------------------------------------------------------------------------------- */

static bool half_open_reaper_is_still_unfinished_locked(struct half_open_reaper *reaper,
                                                        const struct half_open *request, struct peer *peer) {
    return peer_cookie(request->fd) == request->cookie &&
           listeners_accepted(&reaper->listeners, request->fd, peer) &&
           thread_clients_state_locked(&reaper->thread_clients, peer) == 0 &&
           peer_is_unfinished(request->fd, reaper->head);
}

/* Cuts off a request, with an answer unless the client has sent nothing. Some browsers connect in advance, and
 * would take the answer for that to a later request. */
static bool half_open_reaper_cut_off(struct half_open_reaper *reaper, const struct half_open *request, int status,
                                     const char *text) {
    struct peer peer;
    thread_clients_lock(&reaper->thread_clients);
    bool unfinished = half_open_reaper_is_still_unfinished_locked(reaper, request, &peer);
    if (unfinished && !received_nothing(request->fd))
        short_answer(request->fd, status, text);
    if (unfinished) {
        shutdown(request->fd, SHUT_RDWR);
        thread_clients_cut_locked(&reaper->thread_clients, &peer);
    }
    thread_clients_unlock(&reaper->thread_clients);
    return unfinished;
}

static bool half_open_reaper_cut_one(struct half_open_reaper *reaper, const struct half_open *request) {
    if (request->verdict == HALF_OPEN_TIMED_OUT)
        return half_open_reaper_cut_off(reaper, request, 408,
                                        "The request was not complete within handshake_timeout.");
    return half_open_reaper_cut_off(reaper, request, 503, "The server is busy, and the request was not complete.");
}

static void half_open_reaper_cut_due(struct half_open_reaper *reaper) {
    static struct log_limit limit;
    unsigned cut[HALF_OPEN_OLDEST + 1] = {0};
    const struct half_open *last = NULL;
    if (half_open_decide(reaper->unfinished, reaper->unfinished_count, reaper->all_count, &reaper->options.limits,
                         reaper->now_ms) == 0)
        return;
    for (size_t i = 0; i < reaper->unfinished_count; i++) {
        const struct half_open *request = &reaper->unfinished[i];
        if (request->verdict == HALF_OPEN_STAYS || !half_open_reaper_cut_one(reaper, request))
            continue;
        cut[request->verdict]++;
        last = request;
    }
    if (last == NULL)
        return;
    *reaper->options.closed += cut[HALF_OPEN_GREEDY] + cut[HALF_OPEN_OLDEST] + cut[HALF_OPEN_TIMED_OUT];
    char address[ADDRESS_TEXT_SIZE];
    address_print(&last->address, address);
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "half_open",
                      LOG_FIELDS(LOG_TEXT("peer", address), LOG_NUMBER("beyond_limit", cut[HALF_OPEN_GREEDY]),
                                 LOG_NUMBER("oldest", cut[HALF_OPEN_OLDEST]),
                                 LOG_NUMBER("timed_out", cut[HALF_OPEN_TIMED_OUT]),
                                 LOG_NUMBER("total", *reaper->options.closed)));
}

void half_open_reaper_close_all(struct half_open_reaper *reaper) {
    half_open_reaper_look_at_all(reaper);
    for (size_t i = 0; i < reaper->unfinished_count; i++)
        half_open_reaper_cut_off(reaper, &reaper->unfinished[i], 503, "The server is stopping.");
}

/* --- The thread -------------------------------------------------------------------------------------------- */

static void half_open_reaper_wait_for_event(const struct half_open_reaper *reaper, int timeout_ms) {
    struct pollfd event = {.fd = reaper->wake_event, .events = POLLIN};
    eventfd_t count;
    poll(&event, 1, timeout_ms);
    eventfd_read(reaper->wake_event, &count);
}

/* Waits until a thread begins with a connection, or a client is in a listener's queue, since the library may be
 * unable to accept it. */
static void half_open_reaper_wait_for_clients(const struct half_open_reaper *reaper) {
    struct pollfd events[LISTENERS_MAX + 1];
    memcpy(events, reaper->guard.polled, sizeof reaper->guard.polled);
    events[reaper->listeners.count] = (struct pollfd){.fd = reaper->wake_event, .events = POLLIN};
    poll(events, (nfds_t)reaper->listeners.count + 1, -1);
}

static bool half_open_reaper_look(struct half_open_reaper *reaper) {
    half_open_reaper_look_at_all(reaper);
    half_open_reaper_cut_due(reaper);
    *reaper->options.refused += descriptor_guard_look(&reaper->guard, reaper->now_ms);
    return reaper->all_count > 0 || reaper->guard.pending || reaper->guard.on;
}

static void half_open_reaper_sleep_if_quiet(struct half_open_reaper *reaper) {
    atomic_store(&reaper->asleep, true);
    if (!half_open_reaper_look(reaper)) /* clients that came before the line above have not woken us */
        half_open_reaper_wait_for_clients(reaper);
    atomic_store(&reaper->asleep, false);
}

/* If others have so many descriptors that a look takes long, it looks less often. */
static int half_open_reaper_pause_after(uint64_t look_ms) {
    return look_ms * SHARE < LOOK_MS ? LOOK_MS : (int)(look_ms * SHARE);
}

static void *half_open_reaper_run(void *argument) {
    struct half_open_reaper *reaper = argument;
    unsigned quiet = 0;
    while (!atomic_load(&reaper->stopping)) {
        uint64_t start = pool_now();
        quiet = half_open_reaper_look(reaper) ? 0 : quiet + 1;
        int pause = half_open_reaper_pause_after(pool_now() - start);
        if (quiet == QUIET_LOOKS) {
            half_open_reaper_sleep_if_quiet(reaper);
            quiet = 0;
        }
        half_open_reaper_wait_for_event(reaper, pause);
    }
    return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

struct half_open_reaper *half_open_reaper_create(const struct half_open_reaper_options *options) {
    struct half_open_reaper *reaper = calloc(1, sizeof *reaper);
    if (reaper == NULL)
        return NULL;
    reaper->options = *options;
    reaper->most = options->limits.threads + options->limits.queue + MORE;
    reaper->unfinished = calloc(reaper->most, sizeof *reaper->unfinished);
    reaper->last = calloc(reaper->most, sizeof *reaper->last);
    reaper->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (thread_clients_init(&reaper->thread_clients, options->limits.threads, reaper->most) == 0 &&
        reaper->unfinished != NULL && reaper->last != NULL && reaper->wake_event >= 0)
        return reaper;
    half_open_reaper_destroy(reaper);
    return NULL;
}

void half_open_reaper_destroy(struct half_open_reaper *reaper) {
    if (reaper == NULL)
        return;
    if (reaper->wake_event >= 0)
        close(reaper->wake_event);
    thread_clients_destroy(&reaper->thread_clients);
    free(reaper->unfinished);
    free(reaper->last);
    free(reaper);
}

/* The kernel hands over a client that has sent nothing only after its first, second, third ... retransmission, at
 * 1, 3, 7 ... seconds. The reaper gives it the rest of the handshake timeout. */
static void half_open_reaper_defer_accept(struct half_open_reaper *reaper) {
    int seconds = 0;
    uint64_t most = reaper->options.limits.timeout_ms / 1000;
    while (seconds < DEFER_MAX_S && 2 * (uint64_t)seconds + 1 <= most)
        seconds = 2 * seconds + 1;
    bool deferred = seconds > 0;
    for (int i = 0; i < reaper->listeners.count; i++)
        deferred = deferred && setsockopt(reaper->listeners.fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
                                          sizeof seconds) == 0;
    reaper->deferred_ms = deferred ? (uint64_t)seconds * 1000 : 0;
    reaper->deferred_from_ms = pool_now() + reaper->deferred_ms - LOOK_MS; /* the kernel's clock is coarser */
}

int half_open_reaper_start(struct half_open_reaper *reaper, const struct listeners *listeners) {
    reaper->listeners = *listeners;
    half_open_reaper_defer_accept(reaper);
    if (descriptor_guard_open(&reaper->guard, &reaper->listeners, reaper->options.base) != 0)
        return -1;
    int error = pthread_create(&reaper->thread, NULL, half_open_reaper_run, reaper);
    if (error == 0)
        return 0;
    descriptor_guard_close(&reaper->guard);
    errno = error;
    return -1;
}

void half_open_reaper_stop(struct half_open_reaper *reaper) {
    atomic_store(&reaper->stopping, true);
    eventfd_write(reaper->wake_event, 1);
    pthread_join(reaper->thread, NULL);
    descriptor_guard_close(&reaper->guard);
}
