/* worker.h - one thread of the load tester: its clients, its epoll set, the phases of its run. Messages touch no
 * data that threads share. The threads meet before the first message and, in a broadcast, after the last, and
 * deliver their counts once a second (seconds.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_WORKER_H
#define WEIR_BENCH_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "commands/bench/load/bench_client.h"
#include "commands/bench/load/schedule.h"

/* What all threads share. */
struct run {
    const struct settings *settings;
    const struct payload *payload;
    const struct target *targets;
    unsigned loopback_sources;
    struct seconds *seconds;
    uint64_t began;              /* start of the run, by bench_clock() */
    int wake;                    /* an eventfd, written to after `stop` is set */
    _Atomic bool stop;           /* stop measuring, and finish */
    _Atomic unsigned ready;      /* number of threads whose clients are connected */
    _Atomic uint64_t go;         /* when the last thread was ready and sending begins; 0: not yet */
    _Atomic unsigned finished;   /* number of threads that no longer publish */
    _Atomic uint64_t *published; /* messages of a broadcast, by room; complete when all threads have finished */
};

struct worker {
    struct run *run;
    pthread_t thread;
    unsigned index;
    struct bench_group group;
    struct bench_client *clients; /* clients that send come first */
    struct sequence *heard;
    unsigned client_count, sender_count, handshakes_max;
    bool ramped, paced;             /* `ramp` and `messages` are in use */
    struct schedule ramp, messages; /* when to connect the next client, and when to send the next message */
    unsigned turn;                  /* index of the client that sends next */
    uint64_t now, expiry;           /* time of the last round; when the next timeout is due */
    uint64_t sending_ends;          /* no message is due from this time on */
    unsigned second;                /* the second that is being counted */
    uint64_t second_ends;
};

/* Sets up worker `index`, which gets every client whose number modulo the thread count is `index`. False with
 * errno set if that fails. */
bool worker_create(struct worker *worker, struct run *run, unsigned index);
void worker_release(struct worker *worker);

/* The thread function: connects, waits for the other threads, runs the scenario, closes. `argument` is the
 * worker. The result of its group is complete when the thread ends. */
void *worker_run(void *argument);

/* Does one round of work: waits for input until something is due, at most until `deadline`, and then does what is
 * due. */
void worker_step(struct worker *worker, uint64_t deadline);

/* CPU usage of the calling thread since it started, in seconds: time in which it ran, and in which it ran or was
 * ready to run. */
struct worker_usage {
    double ran, wanted;
};
struct worker_usage worker_usage(void);

/* Return the number of the second that contains `time`, and when a second ends. Seconds are counted from the
 * start of the run, and start again where the measured time begins; the second before is longer or shorter. */
unsigned worker_second_at(const struct run *run, uint64_t time);
uint64_t worker_second_end(const struct run *run, unsigned second);

#endif
