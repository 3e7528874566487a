/* idempotency.c - see idempotency.h. The keys are in a ring, in the order in which they came and in which they are
 * forgotten. They are also in chains by their first bytes, which are as good as random.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/idempotency.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/core.h"

enum { NONE = -1 };

struct entry {
    struct idempotency_digest key, request;
    struct idempotency_answer answer; /* status 0: it is being answered */
    uint64_t since_ms;
    bool unchained; /* the request had no effect */
    int next;       /* the next in its chain */
};

struct idempotency {
    struct mutex mutex; /* guards all that follows */
    pthread_cond_t answered;
    unsigned capacity, first, count; /* of the ring */
    unsigned chain_count;            /* a power of two */
    int *chains;
    struct entry entries[];
};

struct idempotency_digest idempotency_digest(const void *first, size_t first_size, const void *second,
                                             size_t second_size) {
    struct idempotency_digest parts[2], digest;
    SHA256(first, first_size, parts[0].bytes);
    SHA256(second, second_size, parts[1].bytes);
    SHA256((const unsigned char *)parts, sizeof parts, digest.bytes);
    return digest;
}

/* --- The table ---------------------------------------------------------------------------------------------- */

static bool same(const struct idempotency_digest *a, const struct idempotency_digest *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

static int *chain_of(struct idempotency *table, const struct idempotency_digest *key) {
    uint32_t start;
    memcpy(&start, key->bytes, sizeof start);
    return &table->chains[start & (table->chain_count - 1)];
}

static struct entry *find_locked(struct idempotency *table, const struct idempotency_digest *key) {
    int i = *chain_of(table, key);
    while (i != NONE && !same(&table->entries[i].key, key))
        i = table->entries[i].next;
    return i == NONE ? NULL : &table->entries[i];
}

static void unchain_locked(struct idempotency *table, struct entry *entry) {
    int index = (int)(entry - table->entries), *link = chain_of(table, &entry->key);
    if (entry->unchained)
        return;
    while (*link != index)
        link = &table->entries[*link].next;
    *link = entry->next;
    entry->unchained = true;
}

static void forget_oldest_locked(struct idempotency *table) {
    unchain_locked(table, &table->entries[table->first]);
    table->first = (table->first + 1) % table->capacity;
    table->count--;
}

static void forget_old_locked(struct idempotency *table, uint64_t now_ms) {
    while (table->count > 0 && table->entries[table->first].since_ms + IDEMPOTENCY_MS <= now_ms)
        forget_oldest_locked(table);
}

static void add_locked(struct idempotency *table, const struct idempotency_digest *key,
                       const struct idempotency_digest *request, uint64_t now_ms) {
    if (table->count == table->capacity)
        forget_oldest_locked(table);
    unsigned index = (table->first + table->count++) % table->capacity;
    int *chain = chain_of(table, key);
    table->entries[index] = (struct entry){.key = *key, .request = *request, .since_ms = now_ms, .next = *chain};
    *chain = (int)index;
}

/* --- What it is for ------------------------------------------------------------------------------------------- */

enum idempotency_result idempotency_begin(struct idempotency *table, const struct idempotency_digest *key,
                                          const struct idempotency_digest *request, uint64_t now_ms,
                                          struct idempotency_answer *answer) {
    const struct entry *entry;
    enum idempotency_result result = IDEMPOTENCY_FIRST;
    mutex_lock(&table->mutex);
    forget_old_locked(table, now_ms);
    while ((entry = find_locked(table, key)) != NULL && same(&entry->request, request) && entry->answer.status == 0)
        mutex_wait(&table->answered, &table->mutex);
    if (entry == NULL) {
        add_locked(table, key, request, now_ms);
    } else if (same(&entry->request, request)) {
        *answer = entry->answer;
        result = IDEMPOTENCY_REPEATED;
    } else {
        result = IDEMPOTENCY_OTHER;
    }
    mutex_unlock(&table->mutex);
    return result;
}

void idempotency_finish(struct idempotency *table, const struct idempotency_digest *key,
                        const struct idempotency_answer *answer) {
    mutex_lock(&table->mutex);
    struct entry *entry = find_locked(table, key);
    if (entry != NULL && answer != NULL)
        entry->answer = *answer;
    else if (entry != NULL)
        unchain_locked(table, entry);
    pthread_cond_broadcast(&table->answered);
    mutex_unlock(&table->mutex);
}

/* --- Life --------------------------------------------------------------------------------------------------- */

struct idempotency *idempotency_create(unsigned capacity) {
    unsigned chain_count = 1;
    while (chain_count < capacity)
        chain_count *= 2;
    struct idempotency *table = calloc(1, sizeof *table + capacity * sizeof table->entries[0]);
    int *chains = malloc(chain_count * sizeof *chains);
    if (table == NULL || chains == NULL) {
        free(table);
        free(chains);
        return NULL;
    }
    for (unsigned i = 0; i < chain_count; i++)
        chains[i] = NONE;
    table->capacity = capacity;
    table->chain_count = chain_count;
    table->chains = chains;
    mutex_init(&table->mutex, ADMIN_LOCK_RANK);
    mutex_condition_init(&table->answered);
    return table;
}

void idempotency_destroy(struct idempotency *table) {
    if (table == NULL)
        return;
    pthread_cond_destroy(&table->answered);
    mutex_destroy(&table->mutex);
    free(table->chains);
    free(table);
}
