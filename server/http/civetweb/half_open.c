/* half_open.c - see half_open.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/half_open.h"

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

static bool is_older(const struct half_open *request, uint64_t age_ms, uint64_t now_ms) {
    return now_ms >= request->since_ms + age_ms;
}

/* Returns how many must go. */
static size_t judge_old(struct half_open *requests, size_t count, uint64_t timeout_ms, uint64_t now_ms) {
    size_t gone = 0;
    for (size_t i = 0; i < count; i++) {
        bool old = is_older(&requests[i], timeout_ms, now_ms);
        requests[i].verdict = old ? HALF_OPEN_TIMED_OUT : HALF_OPEN_STAYS;
        gone += old;
    }
    return gone;
}

/* What the other two steps share: how long a request may take now, and how many must still go. */
struct shedding {
    struct half_open *requests;
    size_t count, wanted;
    uint64_t patience_ms, now_ms;
};

static void shed_one(struct shedding *shedding, struct half_open *request, enum half_open_verdict verdict) {
    uint64_t patience_ms = request->silent ? HALF_OPEN_PATIENCE_MAX_MS : shedding->patience_ms;
    if (shedding->wanted == 0 || request->verdict != HALF_OPEN_STAYS ||
        !is_older(request, patience_ms, shedding->now_ms))
        return;
    request->verdict = verdict;
    shedding->wanted--;
}

static void shed_greedy(struct shedding *shedding, unsigned per_address) {
    struct half_open *requests = shedding->requests;
    size_t of_address = 0;
    qsort(requests, shedding->count, sizeof *requests, by_address);
    for (size_t i = 0; i < shedding->count; i++) {
        if (i == 0 || !address_equal(&requests[i].address, &requests[i - 1].address))
            of_address = 0;
        of_address += requests[i].verdict == HALF_OPEN_STAYS;
        if (per_address > 0 && of_address > per_address && !requests[i].unlimited)
            shed_one(shedding, &requests[i], HALF_OPEN_GREEDY);
    }
}

static void shed_oldest(struct shedding *shedding) {
    qsort(shedding->requests, shedding->count, sizeof *shedding->requests, by_age);
    for (size_t i = 0; i < shedding->count; i++)
        shed_one(shedding, &shedding->requests[i], HALF_OPEN_SHED);
}

static uint64_t patience(size_t waiting, const struct half_open_limits *limits) {
    size_t many = limits->queue < 2 ? 1 : limits->queue / 2;
    uint64_t span = HALF_OPEN_PATIENCE_MAX_MS - HALF_OPEN_PATIENCE_MIN_MS;
    return HALF_OPEN_PATIENCE_MAX_MS - span * (waiting < many ? waiting : many) / many;
}

size_t half_open_judge(struct half_open *requests, size_t count, size_t in_all,
                       const struct half_open_limits *limits, uint64_t now_ms) {
    size_t gone = judge_old(requests, count, limits->timeout_ms, now_ms);
    if (in_all <= gone + limits->threads)
        return gone;
    size_t waiting = in_all - gone - limits->threads;
    struct shedding shedding = {requests, count, waiting, patience(waiting, limits), now_ms};
    shed_greedy(&shedding, limits->per_address);
    shed_oldest(&shedding);
    return gone + waiting - shedding.wanted;
}
