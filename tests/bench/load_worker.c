/* load_worker.c - see load_worker.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 1024 };

#define SECOND          UINT64_C(1000000000)
#define CONNECT_TIMEOUT (10 * SECOND) /* without any handshake that succeeds or fails */
#define DRAIN_TIMEOUT   (5 * SECOND)
#define CLOSE_TIMEOUT   (2 * SECOND)

/* --- Setting up ------------------------------------------------------------------------------------------- */

static int group_create(struct client_group *group, const struct options *options) {
    group->options = options;
    group->request_size =
        (size_t)snprintf(group->request, sizeof group->request,
                         "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                         options->path, options->host, options->port);
    group->input = malloc(CLIENT_INPUT_SIZE);
    group->epoll = epoll_create1(EPOLL_CLOEXEC);
    return group->input && group->epoll >= 0 ? frames_create(&group->frames, options->size, options->window) : -1;
}

int worker_create(struct worker *worker, struct run *run, unsigned index) {
    const struct options *options = run->options;
    unsigned count = (options->clients - index + options->threads - 1) / options->threads;
    unsigned handshakes = options->rate / options->threads;
    *worker = (struct worker){.run = run,
                              .group.epoll = -1,
                              .clients = calloc(count, sizeof *worker->clients),
                              .waiting = calloc(count, sizeof(struct client *)),
                              .queued_at = calloc((size_t)count * options->window, sizeof *worker->queued_at),
                              .client_count = count,
                              .waiting_count = count,
                              .handshakes_max = handshakes > 0 ? handshakes : 1};
    if (!worker->clients || !worker->waiting || !worker->queued_at || group_create(&worker->group, options)) {
        worker_release(worker);
        return -1;
    }
    for (unsigned i = 0; i < count; i++) {
        worker->clients[i].id = index + i * options->threads;
        worker->clients[i].queued_at = worker->queued_at + (size_t)i * options->window;
        worker->waiting[count - 1 - i] = &worker->clients[i];
    }
    return 0;
}

void worker_release(struct worker *worker) {
    frames_release(&worker->group.frames);
    free(worker->group.input);
    if (worker->group.epoll >= 0)
        close(worker->group.epoll);
    free(worker->queued_at);
    free(worker->waiting);
    free(worker->clients);
}

/* --- One round of epoll ------------------------------------------------------------------------------------ */

/* With `connect`, whoever is closed connects anew. */
static void wait_again(struct worker *worker, struct client *client) {
    if (client->state == CLIENT_CLOSED && worker->run->options->scenario == SCENARIO_CONNECT)
        worker->waiting[worker->waiting_count++] = client;
}

static void connect_more(struct worker *worker) {
    unsigned most = worker->waiting_count; /* one that fails at once is not tried twice in a round */
    while (most-- > 0 && worker->group.handshakes < worker->handshakes_max) {
        struct client *client = worker->waiting[--worker->waiting_count];
        client_connect(&worker->group, client);
        wait_again(worker, client);
    }
}

/* Waits for events until `deadline` at the latest and works on them. Returns the time. */
static uint64_t poll_once(struct worker *worker, uint64_t deadline) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t now = client_clock();
    int timeout = deadline > now ? (int)((deadline - now + SECOND / 1000 - 1) / (SECOND / 1000)) : 0;
    int count = epoll_wait(worker->group.epoll, events, EVENTS_MAX, timeout);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        client_ready(&worker->group, client, events[i].events);
        wait_again(worker, client);
    }
    return client_clock();
}

/* --- The phases -------------------------------------------------------------------------------------------- */

/* Clients that got no answer at all. */
static void give_up_connecting(struct worker *worker) {
    struct client_group *group = &worker->group;
    group->tally.failed += group->handshakes + worker->waiting_count;
    tally_explain(&group->tally, "%u handshakes got no answer", group->handshakes);
    worker->waiting_count = 0;
    for (unsigned i = 0; i < worker->client_count; i++)
        if (worker->clients[i].state != CLIENT_OPEN)
            client_drop(group, &worker->clients[i]);
}

static void connect_all(struct worker *worker) {
    struct tally *tally = &worker->group.tally;
    uint64_t begun = client_clock(), progress_at = begun, now = begun, done = 0;
    for (;;) {
        connect_more(worker);
        if (worker->waiting_count == 0 && worker->group.handshakes == 0)
            break;
        now = poll_once(worker, progress_at + CONNECT_TIMEOUT);
        if (tally->connected + tally->failed > done) {
            done = tally->connected + tally->failed;
            progress_at = now;
        } else if (now >= progress_at + CONNECT_TIMEOUT) {
            give_up_connecting(worker);
            break;
        }
    }
    tally->connect_seconds = (double)(now - begun) / (double)SECOND;
}

/* False once nothing can happen any more. */
static bool alive(const struct worker *worker) {
    const struct client_group *group = &worker->group;
    if (worker->run->options->scenario == SCENARIO_CONNECT)
        return group->tally.failed < worker->client_count;
    return group->open > 0;
}

static void run_until(struct worker *worker, uint64_t deadline) {
    do
        connect_more(worker);
    while (alive(worker) && poll_once(worker, deadline) < deadline);
}

static uint64_t after(uint64_t from, double seconds) {
    return from + (uint64_t)(seconds * (double)SECOND);
}

static double cpu_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / (double)SECOND;
}

static void measure(struct worker *worker) {
    const struct options *options = worker->run->options;
    struct client_group *group = &worker->group;
    uint64_t begun = client_clock();
    group->sending = options->scenario == SCENARIO_ECHO || options->scenario == SCENARIO_BROADCAST;
    for (unsigned i = 0; i < worker->client_count && group->sending; i++)
        client_start(group, &worker->clients[i]);
    run_until(worker, after(begun, options->warmup));

    double cpu_before = cpu_seconds();
    begun = client_clock();
    group->measuring = true;
    run_until(worker, after(begun, options->duration));
    group->measuring = group->sending = false;
    group->tally.seconds = (double)(client_clock() - begun) / (double)SECOND;
    group->tally.cpu_seconds = cpu_seconds() - cpu_before;
}

static void lose(struct client_group *group, uint64_t messages) {
    group->tally.lost += messages;
    if (messages > 0)
        tally_explain(&group->tally, "%llu messages did not come back", (unsigned long long)messages);
}

/* Waits for what is still under way. */
static void drain(struct worker *worker) {
    uint64_t deadline = client_clock() + DRAIN_TIMEOUT;
    while (worker->group.outstanding > 0 && poll_once(worker, deadline) < deadline)
        ;
    lose(&worker->group, worker->group.outstanding);
}

/* Every message published anywhere must come to each client that was connected here. */
static void drain_broadcast(struct worker *worker) {
    struct client_group *group = &worker->group;
    uint64_t deadline = client_clock() + DRAIN_TIMEOUT;
    atomic_fetch_add(&worker->run->published, group->published);
    pthread_barrier_wait(&worker->run->barrier);
    uint64_t expected = atomic_load(&worker->run->published) * group->tally.connected;
    while (group->delivered < expected && group->open > 0 && poll_once(worker, deadline) < deadline)
        ;
    if (group->delivered < expected)
        lose(group, expected - group->delivered);
    if (group->delivered > expected) {
        group->tally.errors += group->delivered - expected;
        tally_explain(&group->tally, "there were more deliveries than messages");
    }
}

static void close_all(struct worker *worker) {
    struct client_group *group = &worker->group;
    uint64_t deadline = client_clock() + CLOSE_TIMEOUT;
    for (unsigned i = 0; i < worker->client_count; i++)
        client_close(group, &worker->clients[i]);
    while (group->closing > 0 && poll_once(worker, deadline) < deadline)
        ;
    for (unsigned i = 0; i < worker->client_count; i++) {
        worker->clients[i].queued = worker->clients[i].received; /* what was lost is counted */
        client_drop(group, &worker->clients[i]);
    }
}

void *worker_main(void *argument) {
    struct worker *worker = argument;
    enum scenario scenario = worker->run->options->scenario;
    if (scenario != SCENARIO_CONNECT)
        connect_all(worker);
    pthread_barrier_wait(&worker->run->barrier);
    measure(worker);
    if (scenario == SCENARIO_ECHO)
        drain(worker);
    else if (scenario == SCENARIO_BROADCAST)
        drain_broadcast(worker);
    close_all(worker);
    return NULL;
}
