/* idempotency.h - requests that must not take effect twice: what was answered to those with an Idempotency-Key, for
 * five minutes. A fixed number of them is remembered, the oldest go first.
 *
 * Any thread. No other lock is taken under its mutex, and none need be held.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_IDEMPOTENCY_H
#define WEIR_HTTP_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idempotency;

enum { IDEMPOTENCY_DIGEST_SIZE = 32, IDEMPOTENCY_MS = 5 * 60 * 1000, IDEMPOTENCY_KEYS = 10000 };

/* SHA-256. */
struct idempotency_digest {
    uint8_t bytes[IDEMPOTENCY_DIGEST_SIZE];
};

/* Of two texts, of which neither ends where the other begins. */
struct idempotency_digest idempotency_digest(const void *first, size_t first_size, const void *second,
                                             size_t second_size);

struct idempotency_answer {
    int status;
    uint64_t offset;
    uint32_t subscribers;
};

/* NULL if memory is out. */
struct idempotency *idempotency_create(unsigned capacity);
void idempotency_destroy(struct idempotency *table);

enum idempotency_result {
    IDEMPOTENCY_FIRST,    /* to be answered now, and then finished or given up */
    IDEMPOTENCY_REPEATED, /* this was answered */
    IDEMPOTENCY_OTHER     /* another request had this key */
};

/* `key` says whose request it is, `request` what it asks for. While the first one is being answered, others with
 * its key wait. Milliseconds of the monotonic clock. */
enum idempotency_result idempotency_begin(struct idempotency *table, const struct idempotency_digest *key,
                                          const struct idempotency_digest *request, uint64_t now_ms,
                                          struct idempotency_answer *answer);

/* What the first was answered; NULL: nothing came of it, so the next one is the first. */
void idempotency_finish(struct idempotency *table, const struct idempotency_digest *key,
                        const struct idempotency_answer *answer);

#endif
