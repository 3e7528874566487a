/* load.c - a small load program for WebSocket servers, to compare them on one machine: it shares the processors
 * with the server, so it does as little as it can itself.
 *
 *     load --port 9000 --clients 100 --duration 5
 *
 * Closed loop: a client sends its next message when one is back, so the rate is what the server gives, and the
 * latency is a whole round, from the decision to send to the message read back. What it does not do: fragments,
 * text, compression, TLS, a given rate of messages.
 *
 * Threads (load_worker.c) have clients (load_client.c, load_messages.c) and a tally each (load_tally.c), added up
 * here.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/load_options.h"
#include "tests/bench/load_tally.h"
#include "tests/bench/load_worker.h"

static _Noreturn void die(const char *what, int error) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(error));
    exit(1);
}

/* One descriptor for each client, and some for the rest. The hard limit goes up too, if we may. */
static void raise_descriptor_limit(const struct options *options) {
    struct rlimit limit, wanted;
    rlim_t needed = (rlim_t)options->clients + options->threads + 16;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        die("descriptor limit", errno);
    if (limit.rlim_cur >= needed)
        return;
    wanted.rlim_cur = needed;
    wanted.rlim_max = limit.rlim_max > needed ? limit.rlim_max : needed;
    if (setrlimit(RLIMIT_NOFILE, &wanted)) {
        fprintf(stderr, "load: %u clients need %llu descriptors, the limit is %llu\n", options->clients,
                (unsigned long long)needed, (unsigned long long)limit.rlim_max);
        exit(2);
    }
}

static void run_workers(struct run *run, struct worker *workers, struct tally *total) {
    unsigned threads = run->options->threads;
    for (unsigned i = 0; i < threads; i++)
        if (worker_create(&workers[i], run, i))
            die("setting up", errno);
    for (unsigned i = 0; i < threads; i++) {
        int error = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
        if (error)
            die("pthread_create", error);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < threads; i++) {
        tally_add(total, &workers[i].group.tally);
        worker_release(&workers[i]);
    }
}

int main(int argc, char **argv) {
    static struct tally total;
    struct options options;
    options_read(&options, argc, argv);
    raise_descriptor_limit(&options);
    struct run run = {.options = &options};
    struct worker *workers = calloc(options.threads, sizeof *workers);
    int error = pthread_barrier_init(&run.barrier, NULL, options.threads);
    if (!workers || error)
        die("setting up", error ? error : ENOMEM);
    run_workers(&run, workers, &total);
    pthread_barrier_destroy(&run.barrier);
    free(workers);
    tally_print(&total, &options);
    return total.failed + total.lost + total.errors > 0 ? 1 : 0;
}
