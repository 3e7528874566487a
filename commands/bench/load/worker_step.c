/* worker_step.c - see worker.h: sets a worker up, and does one round of work.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "commands/bench/load/exchange.h"
#include "commands/bench/load/worker.h"

#define SECOND UINT64_C(1000000000)

enum {
    EVENTS_MAX = 512,
    DUE_MAX = 256,       /* messages sent before arrived data is checked again */
    HANDSHAKES_MAX = 128 /* at once, in all threads */
};

/* --- Setting up -------------------------------------------------------------------------------------------- */

static bool create_compression(struct bench_group *group) {
    if (!group->settings->compress)
        return true;
    size_t largest = group->payload->size_max;
    group->deflater = deflater_create(WINDOW_BITS_MAX);
    group->inflater = inflater_create(WINDOW_BITS_MAX);
    if (group->deflater == NULL || group->inflater == NULL)
        return false;
    group->packed_size = FRAME_HEADER_MAX + deflater_bound(group->deflater, largest);
    group->packed = malloc(group->packed_size);
    group->plain = malloc(largest + 1);
    return group->packed != NULL && group->plain != NULL;
}

static bool create_group(struct bench_group *group, const struct run *run) {
    struct epoll_event wake = {.events = EPOLLIN | EPOLLET};
    group->settings = run->settings;
    group->payload = run->payload;
    group->targets = run->targets;
    group->loopback_sources = run->loopback_sources;
    group->began = run->began;
    group->measure_from = UINT64_MAX;
    group->limits = (struct decoder_limits){.max_message_size = run->settings->max_size};
    group->options = target_options(run->settings);
    group->input = malloc(BENCH_INPUT_SIZE);
    group->output = malloc(BENCH_OUTPUT_SIZE);
    group->epoll = epoll_create1(EPOLL_CLOEXEC);
    return group->input != NULL && group->output != NULL && group->epoll >= 0 &&
           epoll_ctl(group->epoll, EPOLL_CTL_ADD, run->wake, &wake) == 0 && create_compression(group);
}

/* Returns how many of `count` clients belong to this worker. */
static unsigned share_of(const struct worker *worker, unsigned count) {
    unsigned threads = worker->run->settings->threads;
    return count > worker->index ? (count - worker->index + threads - 1) / threads : 0;
}

static bool create_clients(struct worker *worker) {
    const struct settings *settings = worker->run->settings;
    bool broadcast = settings->scenario == SCENARIO_BROADCAST;
    worker->client_count = share_of(worker, settings->clients);
    worker->sender_count = broadcast ? share_of(worker, settings_senders(settings)) : worker->client_count;
    size_t size = worker->client_count * sizeof *worker->clients;
    worker->clients = aligned_alloc(_Alignof(struct bench_client), size);
    if (broadcast)
        worker->heard = calloc((size_t)worker->client_count * settings->publishers + 1, sizeof *worker->heard);
    if (worker->clients == NULL || (broadcast && worker->heard == NULL))
        return false;
    memset(worker->clients, 0, size);
    for (unsigned i = 0; i < worker->client_count; i++) {
        struct bench_client *client = &worker->clients[i];
        client->id = worker->index + i * settings->threads;
        client->heard = broadcast ? worker->heard + (size_t)i * settings->publishers : NULL;
        bench_client_wait(&worker->group, client);
    }
    return true;
}

bool worker_create(struct worker *worker, struct run *run, unsigned index) {
    const struct settings *settings = run->settings;
    unsigned handshakes = HANDSHAKES_MAX / settings->threads;
    *worker = (struct worker){
        .run = run, .index = index, .handshakes_max = handshakes > 0 ? handshakes : 1, .group.epoll = -1};
    worker->second_ends = worker_second_end(run, 0);
    if (settings->ramp > 0) {
        worker->ramped = true;
        worker->ramp = schedule_start(run->began + (uint64_t)(index * (double)SECOND / settings->ramp),
                                      settings->ramp / settings->threads);
    }
    if (create_group(&worker->group, run) && create_clients(worker))
        return true;
    int error = errno;
    worker_release(worker);
    errno = error;
    return false;
}

void worker_release(struct worker *worker) {
    struct bench_group *group = &worker->group;
    deflater_destroy(group->deflater);
    inflater_destroy(group->inflater);
    free(group->packed);
    free(group->plain);
    free(group->input);
    free(group->output);
    if (group->epoll >= 0)
        close(group->epoll);
    result_release(&group->result);
    free(worker->heard);
    free(worker->clients);
}

/* --- Work that is due ---------------------------------------------------------------------------------------- */

static bool may_connect(const struct worker *worker) {
    bool wanted = worker->run->settings->scenario != SCENARIO_CONNECT || worker->group.sending;
    return wanted && worker->group.waiting.first != NULL && worker->group.handshaking < worker->handshakes_max;
}

static void connect_more(struct worker *worker) {
    uint64_t time;
    while (may_connect(worker) && (!worker->ramped || schedule_take(&worker->ramp, worker->now, &time)))
        bench_client_connect(&worker->group, worker->group.waiting.first);
}

/* Returns the next open client in turn; NULL if none is open. */
static struct bench_client *next_sender(struct worker *worker) {
    for (unsigned tries = 0; tries < worker->sender_count; tries++) {
        struct bench_client *client = &worker->clients[worker->turn];
        worker->turn = worker->turn + 1 < worker->sender_count ? worker->turn + 1 : 0;
        if (client->state == BENCH_OPEN)
            return client;
    }
    return NULL;
}

/* Queues the messages that are due, regardless of earlier messages, and then sends them. */
static void send_due(struct worker *worker) {
    struct bench_client *touched[DUE_MAX];
    unsigned count = 0;
    uint64_t time, limit = worker->now < worker->sending_ends ? worker->now : worker->sending_ends - 1;
    while (count < DUE_MAX && schedule_take(&worker->messages, limit, &time)) {
        struct bench_client *client = next_sender(worker);
        if (client != NULL && exchange_queue(&worker->group, client, time))
            touched[count++] = client;
        else
            worker->group.result.late++;
    }
    for (unsigned i = 0; i < count; i++)
        bench_client_flush(&worker->group, touched[i]);
}

/* Returns the first second of the measured time, and sets *from to its beginning; 0 if that is not known yet. No
 * thread can have reached that second before. */
static unsigned first_measured(const struct run *run, uint64_t *from) {
    uint64_t go = atomic_load(&run->go);
    *from = go != 0 ? go + (uint64_t)(run->settings->warmup * (double)SECOND) : 0;
    if (go == 0)
        return 0;
    unsigned after_go = (unsigned)((go - run->began) / SECOND) + 1,
             last = (unsigned)((*from - run->began) / SECOND);
    return after_go > last ? after_go : last;
}

unsigned worker_second_at(const struct run *run, uint64_t time) {
    uint64_t from;
    unsigned first = first_measured(run, &from), plain = (unsigned)((time - run->began) / SECOND);
    if (from == 0)
        return plain;
    if (time >= from)
        return first + (unsigned)((time - from) / SECOND);
    return plain < first ? plain : first - 1;
}

uint64_t worker_second_end(const struct run *run, unsigned second) {
    uint64_t from;
    unsigned first = first_measured(run, &from);
    if (from == 0 || second + 1 < first)
        return run->began + (second + 1) * SECOND;
    return from + (second + 1 - first) * SECOND;
}

static void finish_second(struct worker *worker) {
    unsigned next = worker_second_at(worker->run, worker->now);
    if (next > worker->second) {
        worker->group.second.open = worker->group.open;
        seconds_deliver(worker->run->seconds, worker->index, worker->second, &worker->group.second, next);
        memset(&worker->group.second, 0, sizeof worker->group.second);
        worker->second = next;
    }
    worker->second_ends = worker_second_end(worker->run, worker->second);
}

/* --- One round --------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t one, uint64_t other) {
    return one < other ? one : other;
}

/* Returns when there is something to do without input. */
static uint64_t next_due(const struct worker *worker) {
    uint64_t due = earlier(worker->expiry, worker->second_ends);
    if (worker->group.sending && worker->group.feeding.first != NULL)
        return 0;
    if (worker->paced) {
        uint64_t next = schedule_next(&worker->messages);
        due = next < worker->sending_ends ? earlier(due, next) : due;
    }
    if (may_connect(worker))
        due = worker->ramped ? earlier(due, schedule_next(&worker->ramp)) : 0;
    return due;
}

/* Waits with nanosecond precision; before Linux 5.11 with milliseconds, rounded down. */
static int wait_for_events(const struct worker *worker, struct epoll_event *events, uint64_t wait) {
    const struct timespec timeout = {.tv_sec = (time_t)(wait / SECOND), .tv_nsec = (long)(wait % SECOND)};
    int count = epoll_pwait2(worker->group.epoll, events, EVENTS_MAX, &timeout, NULL);
    if (count < 0 && errno == ENOSYS)
        count = epoll_wait(worker->group.epoll, events, EVENTS_MAX, (int)(wait / (SECOND / 1000)));
    return count;
}

void worker_step(struct worker *worker, uint64_t deadline) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t due = earlier(deadline, next_due(worker)), now = bench_clock();
    int count = wait_for_events(worker, events, due > now ? due - now : 0);
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr != NULL)
            bench_client_ready(&worker->group, events[i].data.ptr, events[i].events);
    worker->now = bench_clock();
    connect_more(worker);
    if (worker->paced)
        send_due(worker);
    if (worker->group.sending)
        bench_client_feed(&worker->group, DUE_MAX);
    worker->expiry = bench_client_expire(&worker->group, worker->now);
    if (worker->now >= worker->second_ends)
        finish_second(worker);
}
