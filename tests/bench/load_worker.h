/* load_worker.h - one thread of the load program, its clients and its epoll set. Threads share nothing while they
 * run; they wait for each other before the first message and after the last.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_WORKER_H
#define WEIR_BENCH_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/load_client.h"

/* What all threads have in common. */
struct run {
    const struct options *options;
    pthread_barrier_t barrier;
    _Atomic uint64_t published; /* messages of a broadcast, complete after the last barrier */
};

struct worker {
    struct run *run;
    pthread_t thread;
    struct client_group group;
    struct client *clients, **waiting; /* waiting: those that are to connect */
    unsigned client_count, waiting_count, handshakes_max;
    uint64_t *queued_at;
};

/* Worker `index` takes every client whose number leaves that remainder. Returns -1, and errno, if it cannot. */
int worker_create(struct worker *worker, struct run *run, unsigned index);
void worker_release(struct worker *worker);

/* The thread: connects, waits for the others, runs the scenario, closes. `argument` is the worker; its tally is
 * complete when the thread ends. */
void *worker_main(void *argument);

#endif
