/* worker.h - one thread of the load tester: its clients, its epoll set, the phases that it goes through. Threads
 * share nothing for each message: they meet before the first one and, in a broadcast, after the last, and hand over
 * what they counted once a second (seconds.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_WORKER_H
#define WEIR_BENCH_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/bench/bench_client.h"
#include "client/bench/schedule.h"

/* What all threads have in common. */
struct run {
    const struct settings *settings;
    const struct payload *payload;
    const struct target *targets;
    unsigned loopback_sources;
    struct seconds *seconds;
    uint64_t began;              /* clock */
    int wake;                    /* an eventfd: written to after `stop` was set */
    _Atomic bool stop;           /* measure no longer, finish */
    _Atomic unsigned ready;      /* threads whose clients are connected */
    _Atomic uint64_t go;         /* when the last of them was, and sending begins; 0: not yet */
    _Atomic unsigned finished;   /* threads that publish no longer */
    _Atomic uint64_t *published; /* messages of a broadcast by room; complete when all have finished */
};

struct worker {
    struct run *run;
    pthread_t thread;
    unsigned index;
    struct bench_group group;
    struct bench_client *clients; /* those that send come first */
    struct sequence *heard;
    unsigned client_count, sender_count, handshakes_max;
    bool ramped, paced;             /* `ramp`, `messages` are in use */
    struct schedule ramp, messages; /* when to connect the next client, to send the next message */
    unsigned turn;                  /* whose the next message is */
    uint64_t now, expiry;           /* of the last round; when the next timeout comes */
    uint64_t sending_ends;          /* no message is to be sent from then on */
    unsigned second;                /* the one that is being counted */
    uint64_t second_ends;
};

/* Worker `index` takes every client whose number leaves that remainder. False, and errno, if it cannot. */
bool worker_create(struct worker *worker, struct run *run, unsigned index);
void worker_release(struct worker *worker);

/* The thread: connects, waits for the others, runs the scenario, closes. `argument` is the worker, its group's
 * result is complete when the thread ends. */
void *worker_run(void *argument);

/* One round: waits for input until something is due, at most until `deadline`, and does what has become due. */
void worker_step(struct worker *worker, uint64_t deadline);

/* Of the thread that calls, since it began, in seconds: how long it ran, and how long it ran or wanted to. */
struct worker_usage {
    double ran, wanted;
};
struct worker_usage worker_usage(void);

/* The number of the second that `time` lies in, and when a second ends: counted from the beginning of the run, and
 * anew from where the measured time begins; the one before that is longer or shorter. */
unsigned worker_second_at(const struct run *run, uint64_t time);
uint64_t worker_second_end(const struct run *run, unsigned second);

#endif
