/* result.h - the result of a `weir bench` run: of one thread, of all threads, or of several processes. The
 * reports are made from it. Its JSON form is complete, so that results can be merged.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_RESULT_H
#define WEIR_BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/client.h>

#include "commands/bench/histogram.h"

/* Counts of the measured time, unless a member says otherwise. Messages are those of the load, not control
 * frames; bytes are payload as the application sees it, before compression. */
struct counts {
    uint64_t sent, received;             /* messages */
    uint64_t sent_bytes, received_bytes; /* payload bytes */
    uint64_t connected;                  /* handshakes that succeeded, in the whole run */
    uint64_t failed;                     /* handshakes that failed, in the whole run */
    uint64_t dropped;                    /* connections that ended before we closed them, in the whole run */
};

/* One second of a run, counted from its first connection. */
struct interval {
    struct counts counts;       /* counted whether measuring or not */
    uint64_t open;              /* open clients at the end of the second */
    uint64_t p50, p99, maximum; /* ns: latency of received messages; of handshakes in idle and connect; 0: none */
    bool measuring;             /* the second lies completely within the measured time */
};

struct result {
    /* The settings in readable form, in display order. */
    char scenario[16];
    char expect[8]; /* "echo", "any", "none" */
    char *url;      /* all URLs, separated by blanks; in the heap */
    unsigned clients, rooms, publishers, window, threads, processes; /* publishers: of all rooms together */
    double rate, ramp, duration, warmup;
    uint64_t size_min, size_max;
    bool text, compress;

    /* The machine. */
    char host[65], system[160], processor[128];
    unsigned processors;
    uint64_t memory_bytes; /* memory of the machine */
    int64_t began;         /* seconds since 1970 */

    struct counts counts;
    uint64_t missing;      /* echoes that never came and deliveries that were not made, in the whole run */
    uint64_t out_of_order; /* broadcast: messages of one publisher that arrived out of order or twice */
    uint64_t unexpected;   /* broadcast: messages that arrived in the wrong room */
    uint64_t wrong;        /* messages that came back altered */
    uint64_t late;         /* messages at a given rate not sent: no client open, too many in flight, no time */
    uint64_t failures[WEIR_CLIENT_CAUSES]; /* `failed` and `dropped`, by cause */
    char first_error[256];                 /* in words; "" if there was none */

    double seconds;         /* measured time */
    double connect_seconds; /* time until the last client was connected */
    double cpu_seconds;     /* CPU time of all our threads while measuring */
    double busiest;         /* share of the measured time that the busiest thread ran or was ready to run, 0 to 1 */
    uint64_t resident_bytes; /* peak memory of this process */

    struct histogram handshake, latency;

    struct interval *intervals; /* in the heap */
    size_t interval_count;
};

/* Adds a result that was measured elsewhere at the same time. Sums counts, clients, threads and processes, so a
 * thread's own result leaves the settings 0. What describes the run is copied if `to` has none. Intervals are
 * aligned by `began`. Percentiles of an interval cannot be added up exactly: p50 becomes the mean, weighted by
 * messages; p99 becomes the larger one. False if memory runs out; *to is then fit only for result_release(). */
bool result_add(struct result *to, const struct result *from);

/* Records an error, unless one is already recorded. */
void result_explain(struct result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns the name of an enum weir_client_cause: "refused", "timed out", "HTTP status" ... */
const char *result_cause_name(unsigned cause);

/* Fills in the description of the machine. */
void result_describe_host(struct result *result);

/* True if the tester was the bottleneck: its busiest thread had no idle time. */
bool result_tester_was_limit(const struct result *result);

void result_release(struct result *result);

#endif
