/* load_tally.h - what a run has come to, and how it is told.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_TALLY_H
#define WEIR_BENCH_LOAD_TALLY_H

#include <stdint.h>

#include "client/bench/histogram.h"
#include "tests/bench/load_options.h"

/* Of one thread, or of all. */
struct tally {
    uint64_t connected, failed; /* handshakes */
    uint64_t messages;          /* counted ones: echoes, deliveries, or the handshakes of `connect` */
    uint64_t lost;              /* messages that never came back, deliveries that were not made */
    uint64_t errors;            /* wrong messages, protocol errors, connections that the server dropped */
    double seconds, connect_seconds, cpu_seconds;
    char first_error[160];
    struct histogram latency; /* of counted messages; of handshakes in `idle` and `connect` */
};

/* Keeps the first of several. */
void tally_explain(struct tally *tally, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds what another thread did at the same time. */
void tally_add(struct tally *to, const struct tally *from);

/* The line for people, and the JSON object if it is wanted. */
void tally_print(const struct tally *tally, const struct options *options);

#endif
