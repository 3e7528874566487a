/* slow_request_reaper.c - see slow_request_reaper.h. Before the reaper cuts off a connection, it looks at it again
 * under the lock of the clients that threads have, so that the descriptor cannot become another socket
 * (thread_clients.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/slow_request_reaper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/pool.h"
#include "server/http/civetweb/received.h"
#include "server/http/civetweb/short_answer.h"
#include "server/http/civetweb/thread_clients.h"
#include "server/log/log.h"

enum {
    LOOK_MS = 50,
    SHARE = 20, /* a look takes at most a twentieth of the reaper's time */
    PHASE_BITS = 3,
    MORE = 64, /* sockets that the library may have in addition to those of its threads and its queue */
};

/* A connection that has not been answered yet; it may have been there at the last look. */
struct stranger {
    int fd;
    uint64_t cookie;
    uint64_t since_ms;
};

struct slow_request_reaper {
    struct slow_request_reaper_options options;
    struct thread_clients thread_clients; /* each state: when the phase began, and which phase it is */
    int wake_event;
    _Atomic unsigned connections; /* connections that have a thread */
    _Atomic bool stopping;

    /* What follows belongs to the guarding thread. */
    pthread_t thread;
    bool started;
    unsigned most;                     /* how many connections there may be */
    struct stranger *strangers, *last; /* found now and at the last look, in the order of their descriptors */
    unsigned stranger_count, last_count;
    unsigned last_next; /* index in `last`: those with a lower descriptor have been passed */
    struct request_sight *sights;
    unsigned sight_count;
    unsigned all_count; /* all connections, including those that need no sight */
    uint64_t now_ms;
    char head[PEER_HEAD_MAX];
};

/* --- The HTTP threads' side --------------------------------------------------------------------------------- */

void slow_request_reaper_begin(struct slow_request_reaper *reaper) {
    if (atomic_fetch_add(&reaper->connections, 1) == 0)
        eventfd_write(reaper->wake_event, 1);
}

void slow_request_reaper_end(struct slow_request_reaper *reaper) {
    thread_clients_end(&reaper->thread_clients);
    atomic_fetch_sub(&reaper->connections, 1);
}

static enum request_phase slow_request_reaper_phase_of(uint64_t state) {
    return (enum request_phase)(state & ((1 << PHASE_BITS) - 1));
}

static uint64_t slow_request_reaper_since_of(uint64_t state) {
    return state >> PHASE_BITS;
}

static uint64_t slow_request_reaper_state_of(enum request_phase phase) {
    return pool_now() << PHASE_BITS | phase;
}

bool slow_request_reaper_enter(struct slow_request_reaper *reaper, const char *address, uint16_t port,
                               uint16_t local_port, enum request_phase phase) {
    return thread_clients_begin(&reaper->thread_clients, address, port, local_port,
                                slow_request_reaper_state_of(phase));
}

void slow_request_reaper_phase(struct slow_request_reaper *reaper, enum request_phase phase) {
    thread_clients_change(&reaper->thread_clients, slow_request_reaper_state_of(phase));
}

/* --- Looking ------------------------------------------------------------------------------------------------ */

/* The state of a connection that has been answered before; 0 if it has not been. */
static uint64_t slow_request_reaper_known_state(struct slow_request_reaper *reaper, const struct peer *peer) {
    thread_clients_lock(&reaper->thread_clients);
    uint64_t state = thread_clients_state_locked(&reaper->thread_clients, peer);
    thread_clients_unlock(&reaper->thread_clients);
    return state;
}

static uint64_t slow_request_reaper_stranger_since(struct slow_request_reaper *reaper, int fd, uint64_t cookie) {
    while (reaper->last_next < reaper->last_count && reaper->last[reaper->last_next].fd < fd)
        reaper->last_next++;
    const struct stranger *last = &reaper->last[reaper->last_next];
    return reaper->last_next < reaper->last_count && last->cookie == cookie ? last->since_ms : reaper->now_ms;
}

/* Returns false if it keeps no thread waiting: a whole request of it waits in the queue. */
static bool slow_request_reaper_see_stranger(struct slow_request_reaper *reaper, struct request_sight *sight) {
    if (!peer_is_unfinished(sight->fd, reaper->head))
        return false;
    sight->phase = PHASE_HEAD;
    sight->since_ms = slow_request_reaper_stranger_since(reaper, sight->fd, sight->cookie);
    reaper->strangers[reaper->stranger_count++] = (struct stranger){sight->fd, sight->cookie, sight->since_ms};
    return true;
}

static void slow_request_reaper_look_at(void *context, int fd, const struct peer *peer) {
    struct slow_request_reaper *reaper = context;
    reaper->all_count++;
    struct request_sight sight = {
        .fd = fd, .cookie = peer_cookie(fd), .state = slow_request_reaper_known_state(reaper, peer)};
    if (reaper->sight_count == reaper->most ||
        (sight.state == 0 && !slow_request_reaper_see_stranger(reaper, &sight)))
        return;
    if (sight.state != 0) {
        sight.phase = slow_request_reaper_phase_of(sight.state);
        sight.since_ms = slow_request_reaper_since_of(sight.state);
    }
    reaper->sights[reaper->sight_count++] = sight;
}

static void slow_request_reaper_look_at_all(struct slow_request_reaper *reaper) {
    struct stranger *free = reaper->last;
    reaper->last = reaper->strangers;
    reaper->last_count = reaper->stranger_count;
    reaper->last_next = 0;
    reaper->strangers = free;
    reaper->stranger_count = reaper->sight_count = reaper->all_count = 0;
    reaper->now_ms = pool_now();
    listeners_each_client(reaper->options.listeners, slow_request_reaper_look_at, reaper);
}

/* --- Judging ------------------------------------------------------------------------------------------------ */

static const struct {
    uint64_t most_ms, least_ms; /* when no client waits, and when one does */
} limits[REQUEST_PHASES] = {
    [PHASE_HEAD] = {5000, 200},    [PHASE_BODY] = {10000, 500},  [PHASE_WORK] = {UINT64_MAX, UINT64_MAX},
    [PHASE_ANSWER] = {10000, 500}, [PHASE_LINGER] = {1000, 100}, [PHASE_CLOSING] = {UINT64_MAX, UINT64_MAX},
};

static int slow_request_reaper_compare_age(const void *a, const void *b) {
    const struct request_sight *first = a, *second = b;
    return (first->since_ms > second->since_ms) - (first->since_ms < second->since_ms);
}

void slow_request_reaper_decide(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms) {
    unsigned cut = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t age = now_ms > sights[i].since_ms ? now_ms - sights[i].since_ms : 0;
        sights[i].cut = sights[i].late = age >= limits[sights[i].phase].most_ms;
        cut += sights[i].cut;
    }
    if (cut >= waiting)
        return;
    qsort(sights, count, sizeof *sights, slow_request_reaper_compare_age);
    for (unsigned i = 0; i < count && cut < waiting; i++) {
        uint64_t least_ms = limits[sights[i].phase].least_ms;
        if (sights[i].cut || least_ms == UINT64_MAX || now_ms < sights[i].since_ms + least_ms)
            continue;
        sights[i].cut = true;
        cut++;
    }
}

/* Whether it is still the same connection, and the server still waits for the same thing. */
static bool slow_request_reaper_is_still_due_locked(struct slow_request_reaper *reaper,
                                                    const struct request_sight *sight, struct peer *peer) {
    return peer_cookie(sight->fd) == sight->cookie &&
           listeners_accepted(reaper->options.listeners, sight->fd, peer) &&
           thread_clients_state_locked(&reaper->thread_clients, peer) == sight->state &&
           (sight->state != 0 || peer_is_unfinished(sight->fd, reaper->head));
}

/* Whether the client gets an answer: nothing of one has been written while the server waits for a request. Between
 * two requests no answer is due, nor to a client that has sent nothing. */
static bool slow_request_reaper_owes_answer(const struct request_sight *sight) {
    return sight->state == 0 ? !received_nothing(sight->fd) : sight->phase == PHASE_BODY;
}

static bool slow_request_reaper_cut_off(struct slow_request_reaper *reaper, const struct request_sight *sight) {
    struct peer peer;
    thread_clients_lock(&reaper->thread_clients);
    bool due = slow_request_reaper_is_still_due_locked(reaper, sight, &peer);
    if (due && slow_request_reaper_owes_answer(sight))
        short_answer(sight->fd, sight->late ? 408 : 503,
                     sight->late ? "The request took too long."
                                 : "The server is busy, and the request was not complete.");
    if (due) {
        shutdown(sight->fd, SHUT_RDWR);
        thread_clients_cut_locked(&reaper->thread_clients, &peer);
    }
    thread_clients_unlock(&reaper->thread_clients);
    return due;
}

/* Ends reading, unless the client's thread is closing it: then the descriptor may be another's in a moment. */
static void slow_request_reaper_end_one(void *context, int fd, const struct peer *peer) {
    struct slow_request_reaper *reaper = context;
    struct peer still;
    thread_clients_lock(&reaper->thread_clients);
    uint64_t state = thread_clients_state_locked(&reaper->thread_clients, peer);
    if (slow_request_reaper_phase_of(state) != PHASE_CLOSING &&
        listeners_accepted(reaper->options.listeners, fd, &still))
        shutdown(fd, SHUT_RD);
    thread_clients_unlock(&reaper->thread_clients);
}

void slow_request_reaper_end_all(struct slow_request_reaper *reaper) {
    if (reaper != NULL)
        listeners_each_client(reaper->options.listeners, slow_request_reaper_end_one, reaper);
}

static void slow_request_reaper_look(struct slow_request_reaper *reaper) {
    static struct log_limit limit;
    unsigned cut[REQUEST_PHASES] = {0}, threads = reaper->options.threads, all = 0;
    slow_request_reaper_look_at_all(reaper);
    unsigned waiting =
        reaper->all_count > threads && reaper->connections >= threads ? reaper->all_count - threads : 0;
    slow_request_reaper_decide(reaper->sights, reaper->sight_count, waiting, reaper->now_ms);
    for (unsigned i = 0; i < reaper->sight_count; i++)
        if (reaper->sights[i].cut && slow_request_reaper_cut_off(reaper, &reaper->sights[i])) {
            cut[reaper->sights[i].phase]++;
            all++;
        }
    if (all > cut[PHASE_HEAD]) /* a client that is slow with a head is not worth an event */
        log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "slow_client",
                          LOG_FIELDS(LOG_NUMBER("head", cut[PHASE_HEAD]), LOG_NUMBER("body", cut[PHASE_BODY]),
                                     LOG_NUMBER("answer", cut[PHASE_ANSWER] + cut[PHASE_LINGER])));
}

/* --- The thread --------------------------------------------------------------------------------------------- */

static void *slow_request_reaper_run(void *argument) {
    struct slow_request_reaper *reaper = argument;
    uint64_t took_ms = 0;
    while (!atomic_load(&reaper->stopping)) {
        struct pollfd event = {.fd = reaper->wake_event, .events = POLLIN};
        int pause = took_ms * SHARE < LOOK_MS ? LOOK_MS : (int)(took_ms * SHARE);
        eventfd_t count;
        poll(&event, 1, atomic_load(&reaper->connections) == 0 ? -1 : pause);
        eventfd_read(reaper->wake_event, &count);
        uint64_t start = pool_now();
        slow_request_reaper_look(reaper);
        took_ms = pool_now() - start;
    }
    return NULL;
}

/* --- Life --------------------------------------------------------------------------------------------------- */

static int slow_request_reaper_allocate(struct slow_request_reaper *reaper) {
    reaper->most = reaper->options.threads + reaper->options.queue + MORE;
    reaper->strangers = calloc(reaper->most, sizeof *reaper->strangers);
    reaper->last = calloc(reaper->most, sizeof *reaper->last);
    reaper->sights = calloc(reaper->most, sizeof *reaper->sights);
    reaper->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool complete = thread_clients_init(&reaper->thread_clients, reaper->options.threads, reaper->most) == 0 &&
                    reaper->strangers != NULL && reaper->last != NULL && reaper->sights != NULL &&
                    reaper->wake_event >= 0;
    return complete ? 0 : -1;
}

struct slow_request_reaper *slow_request_reaper_create(const struct slow_request_reaper_options *options) {
    struct slow_request_reaper *reaper = calloc(1, sizeof *reaper);
    if (reaper == NULL)
        return NULL;
    reaper->options = *options;
    if (slow_request_reaper_allocate(reaper) == 0)
        return reaper;
    int error = errno;
    slow_request_reaper_destroy(reaper);
    errno = error;
    return NULL;
}

int slow_request_reaper_start(struct slow_request_reaper *reaper) {
    int error = pthread_create(&reaper->thread, NULL, slow_request_reaper_run, reaper);
    reaper->started = error == 0;
    errno = error;
    return reaper->started ? 0 : -1;
}

void slow_request_reaper_stop(struct slow_request_reaper *reaper) {
    if (reaper == NULL || !reaper->started)
        return;
    atomic_store(&reaper->stopping, true);
    eventfd_write(reaper->wake_event, 1);
    pthread_join(reaper->thread, NULL);
}

void slow_request_reaper_destroy(struct slow_request_reaper *reaper) {
    if (reaper == NULL)
        return;
    if (reaper->wake_event >= 0)
        close(reaper->wake_event);
    thread_clients_destroy(&reaper->thread_clients);
    free(reaper->sights);
    free(reaper->strangers);
    free(reaper->last);
    free(reaper);
}
