/* rate.h - a limit on how much may arrive per second, as a leaky bucket that holds one second's worth (GCRA). Pure
 * functions; time comes in as an argument.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_RATE_H
#define WEIR_BASE_RATE_H

#include <stdint.h>

/* All zero is an empty bucket. */
struct rate {
    uint64_t full_until; /* microseconds: when all that has arrived is paid off */
};

/* Records that `amount` more has arrived. `per_second` is the limit, above 0. */
static inline void rate_take(struct rate *rate, uint64_t amount, uint64_t per_second, uint64_t now_us) {
    uint64_t from = rate->full_until > now_us ? rate->full_until : now_us;
    rate->full_until = from + (amount * UINT64_C(1000000) + per_second - 1) / per_second;
}

/* How long to wait until more may arrive, in microseconds; 0: it may arrive now. */
static inline uint64_t rate_wait(const struct rate *rate, uint64_t now_us) {
    const uint64_t burst_us = 1000000;
    return rate->full_until > now_us + burst_us ? rate->full_until - now_us - burst_us : 0;
}

#endif
