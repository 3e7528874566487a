/* idempotency.h - requests that must not take effect twice: the answers to requests with an Idempotency-Key, kept
 * for five minutes. A fixed number of them is kept; the oldest are forgotten first.
 *
 * Any thread may call it. Its mutex needs no other lock, and no other is taken under it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_IDEMPOTENCY_H
#define WEIR_ADMIN_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idempotency;

enum { IDEMPOTENCY_DIGEST_SIZE = 32, IDEMPOTENCY_MS = 5 * 60 * 1000, IDEMPOTENCY_KEYS = 10000 };

/* A SHA-256 digest. */
struct idempotency_digest {
    uint8_t bytes[IDEMPOTENCY_DIGEST_SIZE];
};

/* The digest of two texts, which also depends on where the first ends. */
struct idempotency_digest idempotency_digest(const void *first, size_t first_size, const void *second,
                                             size_t second_size);

struct idempotency_answer {
    int status;
    uint64_t offset;
    uint32_t subscribers;
};

/* Returns NULL if memory is out. */
struct idempotency *idempotency_create(unsigned capacity);
void idempotency_destroy(struct idempotency *table);

enum idempotency_result {
    IDEMPOTENCY_FIRST,    /* answer it now; then idempotency_finish() must follow */
    IDEMPOTENCY_REPEATED, /* it has been answered: see `answer` */
    IDEMPOTENCY_OTHER     /* another request has used this key */
};

/* `key` identifies the request, `request` what it asks for. While the first request is being answered, others with
 * its key wait. `now_ms` is in milliseconds of the monotonic clock. */
enum idempotency_result idempotency_begin(struct idempotency *table, const struct idempotency_digest *key,
                                          const struct idempotency_digest *request, uint64_t now_ms,
                                          struct idempotency_answer *answer);

/* Records the answer to the first request. NULL: it had no effect, so the next request with the key is the first
 * again. */
void idempotency_finish(struct idempotency *table, const struct idempotency_digest *key,
                        const struct idempotency_answer *answer);

#endif
