/* half_open.c - see half_open.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/half_open.h"

#include <stdlib.h>
#include <string.h>

static int half_open_by_age(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    return a->since_ms != b->since_ms ? (a->since_ms < b->since_ms ? -1 : 1) : (a->cookie < b->cookie ? -1 : 1);
}

static int half_open_by_address(const void *left, const void *right) {
    const struct half_open *a = left, *b = right;
    int difference = memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes);
    return difference != 0 ? difference : half_open_by_age(left, right);
}

static bool half_open_is_older(const struct half_open *request, uint64_t age_ms, uint64_t now_ms) {
    return now_ms >= request->since_ms + age_ms;
}

/* Returns how many must go. */
static size_t half_open_cut_old(struct half_open *requests, size_t count, uint64_t timeout_ms, uint64_t now_ms) {
    size_t gone = 0;
    for (size_t i = 0; i < count; i++) {
        bool old = half_open_is_older(&requests[i], timeout_ms, now_ms);
        requests[i].verdict = old ? HALF_OPEN_TIMED_OUT : HALF_OPEN_STAYS;
        gone += old;
    }
    return gone;
}

/* What the other two steps share: how long a request may take now, and how many must still go. */
struct half_open_cut {
    struct half_open *requests;
    size_t count, wanted;
    uint64_t patience_ms, now_ms;
};

static void half_open_cut_one(struct half_open_cut *cut, struct half_open *request,
                              enum half_open_verdict verdict) {
    uint64_t patience_ms = request->silent ? HALF_OPEN_PATIENCE_MAX_MS : cut->patience_ms;
    if (cut->wanted == 0 || request->verdict != HALF_OPEN_STAYS ||
        !half_open_is_older(request, patience_ms, cut->now_ms))
        return;
    request->verdict = verdict;
    cut->wanted--;
}

static void half_open_cut_greedy(struct half_open_cut *cut, unsigned per_address) {
    struct half_open *requests = cut->requests;
    size_t of_address = 0;
    qsort(requests, cut->count, sizeof *requests, half_open_by_address);
    for (size_t i = 0; i < cut->count; i++) {
        if (i == 0 || !address_equal(&requests[i].address, &requests[i - 1].address))
            of_address = 0;
        of_address += requests[i].verdict == HALF_OPEN_STAYS;
        if (per_address > 0 && of_address > per_address && !requests[i].unlimited)
            half_open_cut_one(cut, &requests[i], HALF_OPEN_GREEDY);
    }
}

static void half_open_cut_oldest(struct half_open_cut *cut) {
    qsort(cut->requests, cut->count, sizeof *cut->requests, half_open_by_age);
    for (size_t i = 0; i < cut->count; i++)
        half_open_cut_one(cut, &cut->requests[i], HALF_OPEN_OLDEST);
}

static uint64_t half_open_patience(size_t waiting, const struct half_open_limits *limits) {
    size_t many = limits->queue < 2 ? 1 : limits->queue / 2;
    uint64_t span = HALF_OPEN_PATIENCE_MAX_MS - HALF_OPEN_PATIENCE_MIN_MS;
    return HALF_OPEN_PATIENCE_MAX_MS - span * (waiting < many ? waiting : many) / many;
}

size_t half_open_decide(struct half_open *requests, size_t count, size_t in_all,
                        const struct half_open_limits *limits, uint64_t now_ms) {
    size_t gone = half_open_cut_old(requests, count, limits->timeout_ms, now_ms);
    if (in_all <= gone + limits->threads)
        return gone;
    size_t waiting = in_all - gone - limits->threads;
    struct half_open_cut cut = {requests, count, waiting, half_open_patience(waiting, limits), now_ms};
    half_open_cut_greedy(&cut, limits->per_address);
    half_open_cut_oldest(&cut);
    return gone + waiting - cut.wanted;
}
