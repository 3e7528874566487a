/* token_bucket.h - a limit on how much may arrive per second, as a token bucket that holds one second's worth
 * (GCRA). Pure functions; time comes in as an argument.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_TOKEN_BUCKET_H
#define WEIR_BASE_TOKEN_BUCKET_H

#include <stdint.h>

/* All zero is a full bucket. */
struct token_bucket {
    uint64_t full_until; /* microseconds: when the bucket is full again */
};

/* Records that `amount` more has arrived. `per_second` is the limit, above 0. */
static inline void token_bucket_take(struct token_bucket *bucket, uint64_t amount, uint64_t per_second,
                                     uint64_t now_us) {
    uint64_t from = bucket->full_until > now_us ? bucket->full_until : now_us;
    bucket->full_until = from + (amount * UINT64_C(1000000) + per_second - 1) / per_second;
}

/* How long to wait until more may arrive, in microseconds; 0: it may arrive now. */
static inline uint64_t token_bucket_wait(const struct token_bucket *bucket, uint64_t now_us) {
    const uint64_t burst_us = 1000000;
    return bucket->full_until > now_us + burst_us ? bucket->full_until - now_us - burst_us : 0;
}

#endif
