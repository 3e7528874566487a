/* worker.c - see worker.h: the phases of a run. worker_step.c has one round of work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define SECOND           UINT64_C(1000000000)
#define MEETING_INTERVAL (SECOND / 500) /* how often a waiting thread checks for the others */
#define CLOSE_TIMEOUT    5.0            /* seconds; less if --timeout is less */
#define GREETING_TIME    0.2            /* messages that arrive before the first one is sent are not answers */
#define STOPPED_TIMEOUT  1.0            /* for pending messages when the user stopped the run */

static uint64_t after(uint64_t from, double seconds) {
    return from + (uint64_t)(seconds * (double)SECOND);
}

static uint64_t after_at_most(const struct worker *worker, double seconds) {
    double timeout = worker->run->settings->timeout;
    return after(worker->now, timeout < seconds ? timeout : seconds);
}

static bool stopped(const struct worker *worker) {
    return atomic_load_explicit(&worker->run->stop, memory_order_relaxed);
}

/* --- Connecting -------------------------------------------------------------------------------------------- */

/* Gives up on a server that does not answer: the waiting clients are not tried. */
static void give_up(struct bench_group *group) {
    while (group->waiting.first != NULL)
        bench_client_give_up(group, group->waiting.first);
}

static void connect_all(struct worker *worker) {
    struct bench_group *group = &worker->group;
    uint64_t progress = 0, progress_at = bench_clock();
    while ((group->waiting.first != NULL || group->handshaking > 0) && !stopped(worker)) {
        worker_step(worker, UINT64_MAX);
        const struct result *result = &group->result;
        uint64_t answers =
            result->counts.connected + result->counts.failed - result->failures[WEIR_CLIENT_TIMED_OUT];
        if (answers > progress || worker->ramped) {
            progress = answers;
            progress_at = worker->now;
        } else if (worker->now > after(progress_at, worker->run->settings->timeout) && group->handshaking > 0) {
            give_up(group);
        }
    }
    group->result.connect_seconds = (double)(bench_clock() - worker->run->began) / (double)SECOND;
}

/* Waits for greetings, because one that arrived later would count as an answer. */
static void take_greetings(struct worker *worker) {
    uint64_t deadline = after(worker->now, GREETING_TIME);
    while (worker->now < deadline && !stopped(worker))
        worker_step(worker, deadline);
}

/* Waits for the other threads; the last one sets the time at which sending begins. Returns that time; 0 if the
 * run was stopped before. */
static uint64_t meet(struct worker *worker) {
    struct run *run = worker->run;
    if (atomic_fetch_add(&run->ready, 1) + 1 == run->settings->threads)
        atomic_store(&run->go, bench_clock());
    uint64_t go;
    while ((go = atomic_load(&run->go)) == 0 && !stopped(worker))
        worker_step(worker, bench_clock() + MEETING_INTERVAL);
    worker->second_ends = worker_second_end(run, worker->second);
    return go;
}

/* --- Measuring --------------------------------------------------------------------------------------------- */

/* False once nothing more can happen. */
static bool alive(const struct worker *worker) {
    const struct counts *counts = &worker->group.result.counts;
    if (worker->run->settings->scenario == SCENARIO_CONNECT)
        return counts->connected > 0 || counts->failed < worker->client_count;
    return worker->group.open > 0;
}

/* True if messages are overdue because this thread had no time. */
static bool behind(const struct worker *worker) {
    if (!worker->paced)
        return false;
    uint64_t next = schedule_next(&worker->messages);
    return next < worker->sending_ends && next < worker->now;
}

/* Runs until the deadline, and up to --timeout longer to send overdue messages. */
static void run_until(struct worker *worker, uint64_t deadline) {
    uint64_t patience = after(deadline, worker->run->settings->timeout);
    while ((worker->now < deadline || (behind(worker) && worker->now < patience)) && alive(worker) &&
           !stopped(worker))
        worker_step(worker, deadline);
}

/* Counts messages that are still overdue as never sent. */
static void give_up_overdue(struct worker *worker) {
    struct result *result = &worker->group.result;
    uint64_t time;
    while (behind(worker) && schedule_take(&worker->messages, worker->now, &time))
        result->late++;
    if (result->late > 0)
        result_explain(result, "%llu messages were never sent: the rate is more than the tester can do",
                       (unsigned long long)result->late);
}

static void begin_sending(struct worker *worker, uint64_t go) {
    const struct settings *settings = worker->run->settings;
    struct bench_group *group = &worker->group;
    unsigned senders = settings->scenario == SCENARIO_BROADCAST ? settings_senders(settings) : settings->clients;
    group->sending = settings->scenario != SCENARIO_IDLE;
    if (settings_open_loop(settings) && worker->sender_count > 0) {
        /* Each thread has its share of the rate, and the threads take turns. */
        uint64_t first = go + (uint64_t)(worker->index * (double)SECOND / settings->rate);
        worker->paced = true;
        worker->messages = schedule_start(first, settings->rate * worker->sender_count / senders);
    } else if (settings->scenario == SCENARIO_ECHO || settings->scenario == SCENARIO_BROADCAST) {
        for (unsigned i = 0; i < worker->sender_count; i++)
            bench_client_start(group, &worker->clients[i]);
    }
}

static void measure(struct worker *worker, uint64_t go) {
    const struct settings *settings = worker->run->settings;
    struct bench_group *group = &worker->group;
    uint64_t from = after(go, settings->warmup), to = after(from, settings->duration);
    group->measure_from = from;
    worker->sending_ends = to;
    worker->now = bench_clock();
    begin_sending(worker, go);
    run_until(worker, from);
    struct worker_usage before = worker_usage();
    run_until(worker, to);
    struct worker_usage now = worker_usage();
    if (!stopped(worker) && alive(worker))
        give_up_overdue(worker);
    bool behind_at_end = worker->now > to + SECOND; /* sending the overdue messages took until now */
    group->sending = worker->paced = false;
    uint64_t end = worker->now < to || behind_at_end ? worker->now : to;
    if (end <= from)
        return;
    double seconds = (double)(end - from) / (double)SECOND, busy = (now.wanted - before.wanted) / seconds;
    group->result.seconds = seconds;
    group->result.cpu_seconds = now.ran - before.ran;
    group->result.busiest = busy < 1 ? busy : 1;
}

/* --- The end ----------------------------------------------------------------------------------------------- */

static uint64_t drain_deadline(const struct worker *worker) {
    return after_at_most(worker, stopped(worker) ? STOPPED_TIMEOUT : worker->run->settings->timeout);
}

/* Waits for messages in flight. */
static void drain(struct worker *worker) {
    struct bench_group *group = &worker->group;
    uint64_t deadline = drain_deadline(worker);
    while (group->outstanding > 0 && group->open > 0 && worker->now < deadline)
        worker_step(worker, deadline);
    if (group->outstanding > 0)
        result_explain(&group->result,
                       worker->run->settings->expect == EXPECT_NONE
                           ? "%llu messages were not sent: the server does not read them"
                           : "%llu messages did not come back",
                       (unsigned long long)group->outstanding);
}

/* Every message published in a room, by any thread, must reach each client of that room that was connected here.
 */
static uint64_t expected_deliveries(const struct worker *worker) {
    uint64_t expected = 0;
    for (unsigned i = 0; i < worker->client_count; i++) {
        const struct bench_client *client = &worker->clients[i];
        if (client->was_open)
            expected += atomic_load(&worker->run->published[settings_room(worker->run->settings, client->id)]);
    }
    return expected;
}

static void drain_broadcast(struct worker *worker) {
    struct run *run = worker->run;
    struct bench_group *group = &worker->group;
    for (unsigned i = 0; i < worker->sender_count; i++) {
        const struct bench_client *client = &worker->clients[i];
        atomic_fetch_add(&run->published[settings_room(run->settings, client->id)], client->queued);
    }
    atomic_fetch_add(&run->finished, 1);
    while (atomic_load(&run->finished) < run->settings->threads)
        worker_step(worker, bench_clock() + MEETING_INTERVAL);
    uint64_t deadline = drain_deadline(worker);
    uint64_t expected = expected_deliveries(worker);
    while (group->delivered < expected && group->open > 0 && worker->now < deadline)
        worker_step(worker, deadline);
    if (group->delivered < expected) {
        group->result.missing += expected - group->delivered;
        result_explain(&group->result, "%llu deliveries were not made",
                       (unsigned long long)(expected - group->delivered));
    }
}

static void close_all(struct worker *worker) {
    struct bench_group *group = &worker->group;
    for (unsigned i = 0; i < worker->client_count; i++)
        bench_client_close(group, &worker->clients[i]);
    uint64_t deadline = after_at_most(worker, stopped(worker) ? STOPPED_TIMEOUT : CLOSE_TIMEOUT);
    while (group->closing.first != NULL && worker->now < deadline)
        worker_step(worker, deadline);
    for (unsigned i = 0; i < worker->client_count; i++)
        bench_client_drop(group, &worker->clients[i]);
}

void *worker_run(void *argument) {
    struct worker *worker = argument;
    enum scenario scenario = worker->run->settings->scenario;
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    worker->now = bench_clock();
    if (scenario != SCENARIO_CONNECT)
        connect_all(worker);
    if (worker->run->settings->expect == EXPECT_ANY)
        take_greetings(worker);
    uint64_t go = meet(worker);
    if (go != 0)
        measure(worker, go);
    if (scenario == SCENARIO_BROADCAST)
        drain_broadcast(worker);
    else
        drain(worker);
    close_all(worker);
    worker->group.second.open = 0;
    seconds_deliver(worker->run->seconds, worker->index, worker->second, &worker->group.second, SECONDS_LAST);
    return NULL;
}

/* --- CPU usage --------------------------------------------------------------------------------------------- */

struct worker_usage worker_usage(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    double ran = (double)used.tv_sec + (double)used.tv_nsec / (double)SECOND;
    struct worker_usage usage = {ran, ran};
    FILE *in = fopen("/proc/thread-self/schedstat", "re");
    char line[128];
    if (in == NULL)
        return usage;
    if (fgets(line, sizeof line, in) != NULL) {
        char *rest;
        strtoull(line, &rest, 10); /* the CPU time, as above but less recent */
        usage.wanted += (double)strtoull(rest, NULL, 10) / (double)SECOND;
    }
    fclose(in);
    return usage;
}
