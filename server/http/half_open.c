/* half_open.c - see half_open.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/half_open.h"

#include <stdlib.h>
#include <string.h>

static int by_age(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    return a->since_ms != b->since_ms ? (a->since_ms < b->since_ms ? -1 : 1) : (a->cookie < b->cookie ? -1 : 1);
}

static int by_address(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    int difference = memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes);
    return difference != 0 ? difference : by_age(left, right);
}

/* Needs them by address and age. Returns how many have to go; likewise the two below. */
static size_t judge_greedy(struct half_open *requests, size_t count, unsigned per_address) {
    size_t gone = 0, of_address = 0;
    for (size_t i = 0; i < count; i++) {
        bool next = i == 0 || !address_equal(&requests[i].address, &requests[i - 1].address);
        of_address = next ? 1 : of_address + 1;
        if (per_address == 0 || of_address <= per_address || requests[i].unlimited)
            continue;
        requests[i].verdict = HALF_OPEN_GREEDY;
        gone++;
    }
    return gone;
}

static size_t judge_old(struct half_open *requests, size_t count, uint64_t timeout_ms, uint64_t now_ms) {
    size_t gone = 0;
    for (size_t i = 0; i < count; i++)
        if (requests[i].verdict == HALF_OPEN_STAYS && now_ms >= requests[i].since_ms + timeout_ms) {
            requests[i].verdict = HALF_OPEN_TIMED_OUT;
            gone++;
        }
    return gone;
}

/* Needs them by age. */
static size_t judge_oldest(struct half_open *requests, size_t count, size_t excess) {
    size_t gone = 0;
    for (size_t i = 0; i < count && gone < excess; i++)
        if (requests[i].verdict == HALF_OPEN_STAYS) {
            requests[i].verdict = HALF_OPEN_SHED;
            gone++;
        }
    return gone;
}

unsigned half_open_many(const struct half_open_limits *limits) {
    return (3 * limits->threads + 3) / 4;
}

size_t half_open_judge(struct half_open *requests, size_t count, size_t in_all,
                       const struct half_open_limits *limits, uint64_t now_ms) {
    for (size_t i = 0; i < count; i++)
        requests[i].verdict = HALF_OPEN_STAYS;
    qsort(requests, count, sizeof *requests, by_address);
    size_t gone = judge_greedy(requests, count, limits->per_address);
    gone += judge_old(requests, count, limits->timeout_ms, now_ms);
    unsigned many = half_open_many(limits);
    if (count - gone < many || in_all - gone <= limits->threads)
        return gone;
    qsort(requests, count, sizeof *requests, by_age);
    return gone + judge_oldest(requests, count, count - gone - many + 1);
}
