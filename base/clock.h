/* clock.h - the monotonic clock: it never goes back, and setting the date does not change it. Any thread.
 *
 * Only the code that waits for real events reads it. Everything else takes the time as an argument (`now`, or
 * `now_us` in microseconds), so a test passes any time it likes and needs no clock of its own: see
 * token_bucket.h, time32.h and pool/timers.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline uint64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
