/* request_guard.c - see request_guard.h. Before the guard cuts off a connection, it looks at it again under the
 * lock of the clients in service, so that the descriptor cannot become another socket (in_service.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/request_guard.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/pool.h"
#include "server/http/civetweb/in_service.h"
#include "server/http/civetweb/short_answer.h"
#include "server/log/log.h"

enum {
    LOOK_MS = 50,
    SHARE = 20, /* a look takes at most a twentieth of the guard's time */
    PHASE_BITS = 3,
    MORE = 64, /* sockets that the library may have in addition to those of its threads and its queue */
};

/* A connection that has not been answered yet; it may have been there at the last look. */
struct stranger {
    int fd;
    uint64_t cookie;
    uint64_t since_ms;
};

struct request_guard {
    struct request_guard_options options;
    struct in_service in_service; /* each state: when the phase began, and which phase it is */
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

void request_guard_begin(struct request_guard *guard) {
    if (atomic_fetch_add(&guard->connections, 1) == 0)
        eventfd_write(guard->wake_event, 1);
}

void request_guard_end(struct request_guard *guard) {
    in_service_end(&guard->in_service);
    atomic_fetch_sub(&guard->connections, 1);
}

static enum request_phase phase_of(uint64_t state) {
    return (enum request_phase)(state & ((1 << PHASE_BITS) - 1));
}

static uint64_t since_of(uint64_t state) {
    return state >> PHASE_BITS;
}

static uint64_t state_of(enum request_phase phase) {
    return pool_now() << PHASE_BITS | phase;
}

bool request_guard_enter(struct request_guard *guard, const char *address, uint16_t port, uint16_t local_port,
                         enum request_phase phase) {
    return in_service_begin(&guard->in_service, address, port, local_port, state_of(phase));
}

void request_guard_phase(struct request_guard *guard, enum request_phase phase) {
    in_service_change(&guard->in_service, state_of(phase));
}

/* --- Looking ------------------------------------------------------------------------------------------------ */

/* The state of a connection that has been answered before; 0 if it has not been. */
static uint64_t known_state(struct request_guard *guard, const struct peer *peer) {
    in_service_lock(&guard->in_service);
    uint64_t state = in_service_state_locked(&guard->in_service, peer);
    in_service_unlock(&guard->in_service);
    return state;
}

static uint64_t stranger_since(struct request_guard *guard, int fd, uint64_t cookie) {
    while (guard->last_next < guard->last_count && guard->last[guard->last_next].fd < fd)
        guard->last_next++;
    const struct stranger *last = &guard->last[guard->last_next];
    return guard->last_next < guard->last_count && last->cookie == cookie ? last->since_ms : guard->now_ms;
}

/* Returns false if it keeps no thread waiting: a whole request of it waits in the queue. */
static bool see_stranger(struct request_guard *guard, struct request_sight *sight) {
    if (!peer_is_unfinished(sight->fd, guard->head))
        return false;
    sight->phase = PHASE_HEAD;
    sight->since_ms = stranger_since(guard, sight->fd, sight->cookie);
    guard->strangers[guard->stranger_count++] = (struct stranger){sight->fd, sight->cookie, sight->since_ms};
    return true;
}

static void look_at(void *context, int fd, const struct peer *peer) {
    struct request_guard *guard = context;
    guard->all_count++;
    struct request_sight sight = {.fd = fd, .cookie = peer_cookie(fd), .state = known_state(guard, peer)};
    if (guard->sight_count == guard->most || (sight.state == 0 && !see_stranger(guard, &sight)))
        return;
    if (sight.state != 0) {
        sight.phase = phase_of(sight.state);
        sight.since_ms = since_of(sight.state);
    }
    guard->sights[guard->sight_count++] = sight;
}

static void look_at_all(struct request_guard *guard) {
    struct stranger *free = guard->last;
    guard->last = guard->strangers;
    guard->last_count = guard->stranger_count;
    guard->last_next = 0;
    guard->strangers = free;
    guard->stranger_count = guard->sight_count = guard->all_count = 0;
    guard->now_ms = pool_now();
    listeners_each_client(guard->options.listeners, look_at, guard);
}

/* --- Judging ------------------------------------------------------------------------------------------------ */

static const struct {
    uint64_t most_ms, least_ms; /* when no client waits, and when one does */
} limits[REQUEST_PHASES] = {
    [PHASE_HEAD] = {5000, 200},    [PHASE_BODY] = {10000, 500},  [PHASE_WORK] = {UINT64_MAX, UINT64_MAX},
    [PHASE_ANSWER] = {10000, 500}, [PHASE_LINGER] = {1000, 100}, [PHASE_CLOSING] = {UINT64_MAX, UINT64_MAX},
};

static int compare_age(const void *a, const void *b) {
    const struct request_sight *first = a, *second = b;
    return (first->since_ms > second->since_ms) - (first->since_ms < second->since_ms);
}

void request_guard_judge(struct request_sight *sights, unsigned count, unsigned waiting, uint64_t now_ms) {
    unsigned cut = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t age = now_ms > sights[i].since_ms ? now_ms - sights[i].since_ms : 0;
        sights[i].cut = sights[i].late = age >= limits[sights[i].phase].most_ms;
        cut += sights[i].cut;
    }
    if (cut >= waiting)
        return;
    qsort(sights, count, sizeof *sights, compare_age);
    for (unsigned i = 0; i < count && cut < waiting; i++) {
        uint64_t least_ms = limits[sights[i].phase].least_ms;
        if (sights[i].cut || least_ms == UINT64_MAX || now_ms < sights[i].since_ms + least_ms)
            continue;
        sights[i].cut = true;
        cut++;
    }
}

/* Whether it is still the same connection, and the server still waits for the same thing. */
static bool is_still_due_locked(struct request_guard *guard, const struct request_sight *sight, struct peer *peer) {
    return peer_cookie(sight->fd) == sight->cookie &&
           listeners_accepted(guard->options.listeners, sight->fd, peer) &&
           in_service_state_locked(&guard->in_service, peer) == sight->state &&
           (sight->state != 0 || peer_is_unfinished(sight->fd, guard->head));
}

static bool has_said_nothing(int fd) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_bytes_received == 0;
}

/* Whether the client gets an answer: nothing of one has been written while the server waits for a request. Between
 * two requests no answer is due, nor to a client that has sent nothing. */
static bool owes_answer(const struct request_sight *sight) {
    return sight->state == 0 ? !has_said_nothing(sight->fd) : sight->phase == PHASE_BODY;
}

static bool cut_off(struct request_guard *guard, const struct request_sight *sight) {
    struct peer peer;
    in_service_lock(&guard->in_service);
    bool due = is_still_due_locked(guard, sight, &peer);
    if (due && owes_answer(sight))
        short_answer(sight->fd, sight->late ? 408 : 503,
                     sight->late ? "The request took too long."
                                 : "The server is busy, and the request was not complete.");
    if (due) {
        shutdown(sight->fd, SHUT_RDWR);
        in_service_cut_locked(&guard->in_service, &peer);
    }
    in_service_unlock(&guard->in_service);
    return due;
}

/* Ends reading, unless the client's thread is closing it: then the descriptor may be another's in a moment. */
static void end_one(void *context, int fd, const struct peer *peer) {
    struct request_guard *guard = context;
    struct peer still;
    in_service_lock(&guard->in_service);
    uint64_t state = in_service_state_locked(&guard->in_service, peer);
    if (phase_of(state) != PHASE_CLOSING && listeners_accepted(guard->options.listeners, fd, &still))
        shutdown(fd, SHUT_RD);
    in_service_unlock(&guard->in_service);
}

void request_guard_end_all(struct request_guard *guard) {
    if (guard != NULL)
        listeners_each_client(guard->options.listeners, end_one, guard);
}

static void look(struct request_guard *guard) {
    static struct log_limit limit;
    unsigned cut[REQUEST_PHASES] = {0}, threads = guard->options.threads, all = 0;
    look_at_all(guard);
    unsigned waiting = guard->all_count > threads && guard->connections >= threads ? guard->all_count - threads : 0;
    request_guard_judge(guard->sights, guard->sight_count, waiting, guard->now_ms);
    for (unsigned i = 0; i < guard->sight_count; i++)
        if (guard->sights[i].cut && cut_off(guard, &guard->sights[i])) {
            cut[guard->sights[i].phase]++;
            all++;
        }
    if (all > cut[PHASE_HEAD]) /* a client that is slow with a head is not worth an event */
        log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "slow_client",
                          LOG_FIELDS(LOG_NUMBER("head", cut[PHASE_HEAD]), LOG_NUMBER("body", cut[PHASE_BODY]),
                                     LOG_NUMBER("answer", cut[PHASE_ANSWER] + cut[PHASE_LINGER])));
}

/* --- The thread --------------------------------------------------------------------------------------------- */

static void *guard_requests(void *argument) {
    struct request_guard *guard = argument;
    uint64_t took_ms = 0;
    while (!atomic_load(&guard->stopping)) {
        struct pollfd event = {.fd = guard->wake_event, .events = POLLIN};
        int pause = took_ms * SHARE < LOOK_MS ? LOOK_MS : (int)(took_ms * SHARE);
        eventfd_t count;
        poll(&event, 1, atomic_load(&guard->connections) == 0 ? -1 : pause);
        eventfd_read(guard->wake_event, &count);
        uint64_t start = pool_now();
        look(guard);
        took_ms = pool_now() - start;
    }
    return NULL;
}

/* --- Life --------------------------------------------------------------------------------------------------- */

static int allocate(struct request_guard *guard) {
    guard->most = guard->options.threads + guard->options.queue + MORE;
    guard->strangers = calloc(guard->most, sizeof *guard->strangers);
    guard->last = calloc(guard->most, sizeof *guard->last);
    guard->sights = calloc(guard->most, sizeof *guard->sights);
    guard->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool complete = in_service_init(&guard->in_service, guard->options.threads, guard->most) == 0 &&
                    guard->strangers != NULL && guard->last != NULL && guard->sights != NULL &&
                    guard->wake_event >= 0;
    return complete ? 0 : -1;
}

struct request_guard *request_guard_create(const struct request_guard_options *options) {
    struct request_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL)
        return NULL;
    guard->options = *options;
    if (allocate(guard) == 0)
        return guard;
    int error = errno;
    request_guard_destroy(guard);
    errno = error;
    return NULL;
}

int request_guard_start(struct request_guard *guard) {
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
    if (guard->wake_event >= 0)
        close(guard->wake_event);
    in_service_destroy(&guard->in_service);
    free(guard->sights);
    free(guard->strangers);
    free(guard->last);
    free(guard);
}
