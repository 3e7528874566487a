/* seconds.h - adds up the seconds of a run as the threads finish them, for the thread that prints them. Any
 * thread may deliver, one takes. A thread keeps its unfinished second to itself, so no message touches shared
 * data.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SECONDS_H
#define WEIR_BENCH_SECONDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/bench/result.h"

/* What happened in one second, in one thread or in all. */
struct second {
    struct counts counts; /* counted whether measuring or not */
    uint64_t open;        /* open clients at the end of the second */
    struct histogram latency;
};

struct seconds;

/* Returns NULL if memory runs out. */
struct seconds *seconds_create(unsigned threads);
void seconds_destroy(struct seconds *seconds);

enum { SECONDS_LAST = INT32_MAX }; /* `next` of a thread that has ended */

/* Adds what `thread` did in second `index` (NULL: nothing to add), and records that it has reached second `next`:
 * its part of all earlier seconds is complete. If memory runs out, the second is not added. */
void seconds_deliver(struct seconds *seconds, unsigned thread, unsigned index, const struct second *second,
                     unsigned next);

enum seconds_result { SECONDS_TAKEN, SECONDS_TIMEOUT, SECONDS_END };

/* Waits until the next second is complete, at most `milliseconds`, and copies it. Seconds come in order.
 * SECONDS_END means that all threads have ended and nothing is left. */
enum seconds_result seconds_take(struct seconds *seconds, unsigned milliseconds, struct second *second);

#endif
