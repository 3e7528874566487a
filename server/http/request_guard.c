/* request_guard.c - see request_guard.h.
 *
 * A descriptor may change its socket at any moment, so what is to be shut down is first put into a number of our
 * own and looked at again there, as in watcher.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/request_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/pool.h"
#include "server/http/exchange.h"
#include "server/http/peer.h"
#include "server/log/log.h"

enum { LOOK_MS = 50, FIRST_DESCRIPTOR = 3, LOOK_AT_ONCE = 512, PHASE_BITS = 3 };

struct place {
    bool taken;
    struct peer peer;
    _Atomic uint64_t state; /* when the phase began, and the phase; its connection's thread sets it */
};

/* Who has not been answered yet and was there the last time. */
struct stranger {
    uint64_t cookie; /* 0: nobody was */
    uint64_t since_ms;
};

struct request_guard {
    struct request_guard_options options;
    pthread_mutex_t mutex; /* guards the places, save their states */
    struct place *places;  /* one for each thread of the library */
    int wake_event;
    _Atomic unsigned connections; /* that have a thread */
    _Atomic bool stopping;

    /* The guarding thread's. */
    pthread_t thread;
    bool started;
    uint16_t ports[LISTENERS_MAX];
    int own;                    /* the number for a socket that is to be shut down */
    struct stranger *strangers; /* by descriptor */
    struct request_sight *sights;
    unsigned sight_count;
    unsigned all_count; /* connections, those that need no sight too */
    char head[PEER_HEAD_MAX];
};

/* --- The HTTP threads' side --------------------------------------------------------------------------------- */

void request_guard_begin(struct request_guard *guard) {
    if (atomic_fetch_add(&guard->connections, 1) == 0)
        eventfd_write(guard->wake_event, 1);
}

void request_guard_end(struct request_guard *guard) {
    atomic_fetch_sub(&guard->connections, 1);
}

static uint64_t state_of(enum request_phase phase, uint64_t since_ms) {
    return since_ms << PHASE_BITS | phase;
}

unsigned request_guard_enter(struct request_guard *guard, const char *address, uint16_t port, uint16_t local_port) {
    struct peer peer = peer_of_text(address, port, local_port);
    unsigned place = 0;
    pthread_mutex_lock(&guard->mutex);
    while (guard->places[place].taken) /* one of them is free: each thread takes one at most */
        place++;
    guard->places[place].taken = true;
    guard->places[place].peer = peer;
    atomic_store(&guard->places[place].state, state_of(PHASE_WORK, 0));
    pthread_mutex_unlock(&guard->mutex);
    return place;
}

void request_guard_phase(struct request_guard *guard, unsigned place, enum request_phase phase) {
    uint64_t since_ms = phase == PHASE_WORK ? 0 : pool_now();
    atomic_store_explicit(&guard->places[place].state, state_of(phase, since_ms), memory_order_relaxed);
}

void request_guard_leave(struct request_guard *guard, unsigned place) {
    pthread_mutex_lock(&guard->mutex);
    guard->places[place].taken = false;
    pthread_mutex_unlock(&guard->mutex);
}

/* --- Looking ------------------------------------------------------------------------------------------------ */

static bool is_ours(const struct request_guard *guard, uint16_t port) {
    for (int i = 0; i < guard->options.listeners->count; i++)
        if (guard->ports[i] == port)
            return true;
    return false;
}

/* The state of a connection that has been answered before; 0 if it has not. */
static uint64_t known_state(struct request_guard *guard, const struct peer *peer) {
    uint64_t state = 0;
    pthread_mutex_lock(&guard->mutex);
    for (unsigned i = 0; i < guard->options.threads; i++)
        if (guard->places[i].taken && peer_equal(&guard->places[i].peer, peer))
            state = atomic_load_explicit(&guard->places[i].state, memory_order_relaxed);
    pthread_mutex_unlock(&guard->mutex);
    return state;
}

/* False if it keeps nobody waiting: a whole request of it stands in the queue. */
static bool see_stranger(struct request_guard *guard, int fd, uint64_t now_ms, struct request_sight *sight) {
    struct stranger *stranger = &guard->strangers[fd];
    if (!peer_is_unfinished(fd, guard->head)) {
        stranger->cookie = 0;
        return false;
    }
    if (stranger->cookie != sight->cookie)
        *stranger = (struct stranger){sight->cookie, now_ms};
    sight->phase = PHASE_HEAD;
    sight->since_ms = stranger->since_ms;
    return true;
}

static void look_at(struct request_guard *guard, int fd, uint64_t now_ms) {
    struct peer peer;
    if (!peer_of_socket(fd, &peer) || !is_ours(guard, peer.local_port)) {
        guard->strangers[fd].cookie = 0;
        return;
    }
    guard->all_count++;
    struct request_sight sight = {.fd = fd, .cookie = peer_cookie(fd), .state = known_state(guard, &peer)};
    if (sight.state == 0 && !see_stranger(guard, fd, now_ms, &sight))
        return;
    if (sight.state != 0) {
        sight.phase = (enum request_phase)(sight.state & ((1 << PHASE_BITS) - 1));
        sight.since_ms = sight.state >> PHASE_BITS;
    }
    guard->sights[guard->sight_count++] = sight;
}

static void look_at_all(struct request_guard *guard, uint64_t now_ms) {
    struct pollfd numbers[LOOK_AT_ONCE];
    int end = guard->options.descriptors_below;
    guard->sight_count = guard->all_count = 0;
    for (int first = FIRST_DESCRIPTOR; first < end; first += LOOK_AT_ONCE) {
        int count = end - first < LOOK_AT_ONCE ? end - first : LOOK_AT_ONCE;
        for (int i = 0; i < count; i++)
            numbers[i] = (struct pollfd){.fd = first + i};
        while (poll(numbers, (nfds_t)count, 0) < 0 && errno == EINTR)
            continue;
        for (int i = 0; i < count; i++)
            if (!(numbers[i].revents & POLLNVAL))
                look_at(guard, first + i, now_ms);
    }
}

/* --- Judging ------------------------------------------------------------------------------------------------ */

static const struct {
    uint64_t most_ms, least_ms; /* when nobody waits, when somebody does */
} limits[REQUEST_PHASES] = {
    [PHASE_HEAD] = {5000, 200},    [PHASE_BODY] = {10000, 500},  [PHASE_WORK] = {UINT64_MAX, UINT64_MAX},
    [PHASE_ANSWER] = {10000, 500}, [PHASE_LINGER] = {1000, 100},
};

static int compare_age(const void *a, const void *b) {
    const struct request_sight *first = a, *second = b;
    return (first->since_ms > second->since_ms) - (first->since_ms < second->since_ms);
}

void request_guard_judge(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms) {
    unsigned cut = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t age = now_ms > sights[i].since_ms ? now_ms - sights[i].since_ms : 0;
        sights[i].cut = age >= limits[sights[i].phase].most_ms;
        cut += sights[i].cut;
    }
    if (cut >= waiting)
        return;
    qsort(sights, count, sizeof *sights, compare_age);
    for (unsigned i = 0; i < count && cut < waiting; i++) {
        if (sights[i].cut || now_ms < sights[i].since_ms + limits[sights[i].phase].least_ms)
            continue;
        sights[i].cut = true;
        cut++;
    }
}

/* Whether the socket in our own number is that one, and the server still waits for the same. */
static bool is_still_due(struct request_guard *guard, const struct request_sight *sight) {
    struct peer peer;
    if (peer_cookie(guard->own) != sight->cookie || !peer_of_socket(guard->own, &peer))
        return false;
    uint64_t state = known_state(guard, &peer);
    return state == sight->state && (state != 0 || peer_is_unfinished(guard->own, guard->head));
}

static bool cut_off(struct request_guard *guard, const struct request_sight *sight) {
    if (exchange_put(sight->fd, guard->own) != 0)
        return false; /* closed meanwhile */
    bool due = is_still_due(guard, sight);
    if (due)
        shutdown(guard->own, SHUT_RDWR);
    exchange_put(guard->wake_event, guard->own);
    return due;
}

static void look(struct request_guard *guard) {
    static struct log_limit limit;
    unsigned cut[REQUEST_PHASES] = {0}, threads = guard->options.threads, all = 0;
    uint64_t now_ms = pool_now();
    look_at_all(guard, now_ms);
    unsigned waiting = guard->all_count > threads && guard->connections >= threads ? guard->all_count - threads : 0;
    request_guard_judge(guard->sights, guard->sight_count, waiting, now_ms);
    for (unsigned i = 0; i < guard->sight_count; i++)
        if (guard->sights[i].cut && cut_off(guard, &guard->sights[i])) {
            cut[guard->sights[i].phase]++;
            all++;
        }
    if (all > cut[PHASE_HEAD]) /* who only says nothing is no news */
        log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "slow_client",
                          LOG_FIELDS(LOG_NUMBER("head", cut[PHASE_HEAD]), LOG_NUMBER("body", cut[PHASE_BODY]),
                                     LOG_NUMBER("answer", cut[PHASE_ANSWER] + cut[PHASE_LINGER])));
}

/* --- The thread --------------------------------------------------------------------------------------------- */

static void *guard_requests(void *argument) {
    struct request_guard *guard = argument;
    while (!atomic_load(&guard->stopping)) {
        struct pollfd event = {.fd = guard->wake_event, .events = POLLIN};
        eventfd_t count;
        poll(&event, 1, atomic_load(&guard->connections) == 0 ? -1 : LOOK_MS);
        eventfd_read(guard->wake_event, &count);
        look(guard);
    }
    return NULL;
}

/* --- Life --------------------------------------------------------------------------------------------------- */

static int allocate(struct request_guard *guard) {
    size_t numbers = (size_t)guard->options.descriptors_below;
    guard->places = calloc(guard->options.threads, sizeof *guard->places);
    guard->strangers = calloc(numbers, sizeof *guard->strangers);
    guard->sights = calloc(numbers, sizeof *guard->sights);
    guard->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    guard->own = fcntl(guard->wake_event, F_DUPFD_CLOEXEC, 0);
    bool complete = guard->places != NULL && guard->strangers != NULL && guard->sights != NULL && guard->own >= 0;
    return complete ? 0 : -1;
}

struct request_guard *request_guard_create(const struct request_guard_options *options) {
    struct request_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL)
        return NULL;
    guard->options = *options;
    pthread_mutex_init(&guard->mutex, NULL);
    if (allocate(guard) == 0)
        return guard;
    int error = errno;
    request_guard_destroy(guard);
    errno = error;
    return NULL;
}

int request_guard_start(struct request_guard *guard) {
    for (int i = 0; i < guard->options.listeners->count; i++)
        guard->ports[i] = peer_local_port(guard->options.listeners->fds[i]);
    int error = pthread_create(&guard->thread, NULL, guard_requests, guard);
    guard->started = error == 0;
    errno = error;
    return guard->started ? 0 : -1;
}

void request_guard_stop(struct request_guard *guard) {
    if (guard == NULL || !guard->started)
        return;
    atomic_store(&guard->stopping, true);
    eventfd_write(guard->wake_event, 1);
    pthread_join(guard->thread, NULL);
}

void request_guard_destroy(struct request_guard *guard) {
    if (guard == NULL)
        return;
    if (guard->own >= 0)
        close(guard->own);
    if (guard->wake_event >= 0)
        close(guard->wake_event);
    pthread_mutex_destroy(&guard->mutex);
    free(guard->sights);
    free(guard->strangers);
    free(guard->places);
    free(guard);
}
