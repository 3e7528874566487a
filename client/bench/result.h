/* result.h - what a run of `weir bench` has come to: of one thread, of all, or of several processes. The reports
 * are made from it, and JSON holds all of it, so that results can be merged.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_RESULT_H
#define WEIR_BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/client.h>

#include "client/bench/histogram.h"

/* What is counted, while measuring alone unless it says otherwise. Messages are those of the load, not control
 * frames; bytes are payload as the application sees it, before compression. */
struct counts {
    uint64_t sent, received;             /* messages */
    uint64_t sent_bytes, received_bytes; /* their payload */
    uint64_t connected;                  /* handshakes done, in all of the run */
    uint64_t failed;                     /* handshakes failed, in all of the run */
    uint64_t dropped;                    /* connections that ended before we closed them, in all of the run */
};

/* One second of a run, from its first connection on. */
struct interval {
    struct counts counts; /* whether measuring or not */
    uint64_t open;        /* clients at its end */
    uint64_t p50, p99,
        maximum; /* latency in nanoseconds of what was received in it; handshakes in idle and connect; 0: nothing */
    bool measuring; /* it lies wholly in the measured time */
};

struct result {
    /* The settings as a person would read them, in the order to be shown. */
    char scenario[16];
    char expect[8]; /* "echo", "any", "none" */
    char *url;      /* all of them, separated by blanks; in the heap */
    unsigned clients, rooms, publishers, window, threads, processes; /* publishers: of all rooms together */
    double rate, ramp, duration, warmup;
    uint64_t size_min, size_max;
    bool text, compress;

    /* The machine. */
    char host[65], system[160], processor[128];
    unsigned processors;
    uint64_t memory_bytes; /* of the machine */
    int64_t began;         /* seconds since 1970 */

    struct counts counts;
    uint64_t missing;      /* echoes that never came, deliveries that were not made, in all of the run */
    uint64_t out_of_order; /* broadcast: messages of one publisher that overtook each other, or came twice */
    uint64_t unexpected;   /* broadcast: messages that came to another room than theirs */
    uint64_t wrong;        /* came back other than they were sent */
    uint64_t late;         /* rate: messages that could not be queued since nobody was connected */
    uint64_t failures[WEIR_CLIENT_CAUSES]; /* `failed` and `dropped` by cause */
    char first_error[256];                 /* in words; "" if there was none */

    double seconds;          /* measured */
    double connect_seconds;  /* until the last client was connected */
    double cpu_seconds;      /* of all our threads, while measuring */
    double busiest;          /* share of the measured time that the busiest thread ran or wanted to run, 0 to 1 */
    uint64_t resident_bytes; /* of this process, at most */

    struct histogram handshake, latency;

    struct interval *intervals; /* in the heap */
    size_t interval_count;
};

/* Adds what ran at the same time elsewhere: counts, clients, threads and processes are summed, so a thread's own
 * result leaves the settings 0; what describes the run is taken over if `to` has none. Intervals are aligned by
 * `began`. Percentiles of an interval cannot be added up exactly: p50 becomes the mean, weighted by messages, p99
 * the larger one. False if memory is out; *to is then of no use but for result_release(). */
bool result_add(struct result *to, const struct result *from);

/* Keeps the first of several errors. */
void result_explain(struct result *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "refused", "timed out", "HTTP status" ... of an enum weir_client_cause. */
const char *result_cause_name(unsigned cause);

/* Fills in the machine. */
void result_describe_host(struct result *result);

/* True if the tester was the bottleneck: its busiest thread had no time left. */
bool result_tester_was_limit(const struct result *result);

void result_release(struct result *result);

#endif
