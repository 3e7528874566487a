/* seconds.h - the seconds of a run, as the threads finish them, added up for whoever prints them. Any thread may
 * deliver, one takes. What a thread has not finished is its own; nothing here is touched for each message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SECONDS_H
#define WEIR_BENCH_SECONDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/bench/result.h"

/* What happened in one second, of one thread or of all. */
struct second {
    struct counts counts; /* whether measuring or not */
    uint64_t open;        /* clients at its end */
    struct histogram latency;
};

struct seconds;

/* NULL if memory is out. */
struct seconds *seconds_create(unsigned threads);
void seconds_destroy(struct seconds *seconds);

enum { SECONDS_LAST = INT32_MAX }; /* `next` of a thread that has ended */

/* Adds what `thread` did in second number `index` (NULL: nothing is to be added), and says that it is now in second
 * `next`: those before are complete for its part. Memory being out, it is not added. */
void seconds_deliver(struct seconds *seconds, unsigned thread, unsigned index, const struct second *second,
                     unsigned next);

enum seconds_result { SECONDS_TAKEN, SECONDS_TIMEOUT, SECONDS_END };

/* Waits until the next second is complete, at most `milliseconds`, and copies it; they come in order. SECONDS_END:
 * all threads have ended and nothing is left. */
enum seconds_result seconds_take(struct seconds *seconds, unsigned milliseconds, struct second *second);

#endif
