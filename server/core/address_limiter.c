/* address_limiter.c - see address_limiter.h. A chained hash table, and a list of the addresses without connections.
 *
 * The rate is a token bucket that holds a second's worth of handshakes. Each handshake takes one out, and the
 * bucket refills steadily. An address whose bucket is full and that has no connection is forgotten.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/address_limiter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "server/core/core.h"

/* Tokens are thousandths of a handshake, so that a rate per second is the same number of tokens per millisecond. */
enum { HANDSHAKE = 1000, TABLE_MAX = 1 << 20, FORGOTTEN_AT_ONCE = 4 };

struct limited_address {
    struct limited_address *next;          /* in the same cell of the hash table */
    struct limited_address *older, *newer; /* in the list of addresses without connections */
    struct address address;
    unsigned connections;
    uint64_t taken, refilled_at; /* tokens missing from its bucket, and when they were counted */
};

/* --- The table --------------------------------------------------------------------------------------------- */

static struct limited_address **bucket_of(const struct address_limiter *limiter, const struct address *address) {
    uint64_t halves[2];
    memcpy(halves, address->bytes, sizeof halves);
    uint64_t hash = hash_mix(hash_mix(halves[0] ^ limiter->seed) ^ halves[1]);
    return &limiter->buckets[hash & (limiter->bucket_count - 1)];
}

static struct limited_address *find_locked(const struct address_limiter *limiter, const struct address *address) {
    struct limited_address *entry = *bucket_of(limiter, address);
    while (entry != NULL && !address_equal(&entry->address, address))
        entry = entry->next;
    return entry;
}

static struct limited_address *add_locked(struct address_limiter *limiter, const struct address *address,
                                          uint64_t now) {
    struct limited_address *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    struct limited_address **bucket = bucket_of(limiter, address);
    entry->address = *address;
    entry->refilled_at = now;
    entry->next = *bucket;
    *bucket = entry;
    limiter->count++;
    return entry;
}

static void drop_locked(struct address_limiter *limiter, struct limited_address *entry) {
    struct limited_address **link = bucket_of(limiter, &entry->address);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    limiter->count--;
    free(entry);
}

/* --- Those without connections ----------------------------------------------------------------------------- */

static void unlist_locked(struct address_limiter *limiter, struct limited_address *entry) {
    if (entry->older == NULL)
        limiter->stalest = entry->newer;
    else
        entry->older->newer = entry->newer;
    if (entry->newer == NULL)
        limiter->freshest = entry->older;
    else
        entry->newer->older = entry->older;
    limiter->remembered--;
}

static void forget_stalest_locked(struct address_limiter *limiter) {
    struct limited_address *entry = limiter->stalest;
    limiter->stalest = entry->newer;
    *(entry->newer == NULL ? &limiter->freshest : &entry->newer->older) = NULL;
    limiter->remembered--;
    drop_locked(limiter, entry);
}

static void list_locked(struct address_limiter *limiter, struct limited_address *entry) {
    entry->newer = NULL;
    entry->older = limiter->freshest;
    *(entry->older == NULL ? &limiter->stalest : &entry->older->newer) = entry;
    limiter->freshest = entry;
    if (++limiter->remembered > ADDRESS_LIMITER_REMEMBERED_MAX)
        forget_stalest_locked(limiter);
}

static void refill(struct limited_address *entry, unsigned rate, uint64_t now) {
    if (rate == 0)
        entry->taken = 0;
    if (now <= entry->refilled_at) /* another thread got from the clock to the mutex faster */
        return;
    uint64_t refilled = (now - entry->refilled_at) * rate;
    entry->taken = refilled < entry->taken ? entry->taken - refilled : 0;
    entry->refilled_at = now;
}

/* Lists or drops an address that has no connection and is in no list. */
static void keep_or_drop_locked(struct address_limiter *limiter, struct limited_address *entry, uint64_t now) {
    refill(entry, limiter->handshake_rate, now);
    if (entry->taken > 0)
        list_locked(limiter, entry);
    else
        drop_locked(limiter, entry);
}

/* Forgets a few addresses at a time, but more than are added. So no thread waits long for the mutex, and no
 * address stays long. */
static void forget_idle_locked(struct address_limiter *limiter, uint64_t now) {
    for (int i = 0; i < FORGOTTEN_AT_ONCE && limiter->stalest != NULL; i++) {
        refill(limiter->stalest, limiter->handshake_rate, now);
        if (limiter->stalest->taken > 0)
            return;
        forget_stalest_locked(limiter);
    }
}

/* --- Coming and going -------------------------------------------------------------------------------------- */

static enum address_limiter_answer check_locked(const struct address_limiter *limiter,
                                                struct limited_address *entry, uint64_t now) {
    unsigned rate = atomic_load(&limiter->handshake_rate), places = atomic_load(&limiter->max_connections);
    if (rate > 0) {
        uint64_t most = (uint64_t)rate * HANDSHAKE;
        refill(entry, rate, now);
        if (entry->taken + HANDSHAKE > most)
            return ADDRESS_LIMITER_TOO_FAST;
        entry->taken += HANDSHAKE;
    }
    if (places > 0 && entry->connections >= places)
        return ADDRESS_LIMITER_TOO_MANY;
    entry->connections++;
    return ADDRESS_LIMITER_ADMITTED;
}

static enum address_limiter_answer admit_locked(struct address_limiter *limiter, const struct address *address,
                                                uint64_t now, struct limited_address **admitted) {
    forget_idle_locked(limiter, now);
    struct limited_address *entry = find_locked(limiter, address);
    if (entry == NULL)
        entry = add_locked(limiter, address, now);
    else if (entry->connections == 0)
        unlist_locked(limiter, entry);
    if (entry == NULL)
        return ADDRESS_LIMITER_NO_MEMORY;
    enum address_limiter_answer answer = check_locked(limiter, entry, now);
    if (answer == ADDRESS_LIMITER_ADMITTED)
        *admitted = entry;
    else if (entry->connections == 0)
        keep_or_drop_locked(limiter, entry, now);
    return answer;
}

enum address_limiter_answer address_limiter_admit(struct address_limiter *limiter, const struct address *address,
                                                  uint64_t now, struct limited_address **entry) {
    *entry = NULL;
    if (atomic_load(&limiter->max_connections) == 0 && atomic_load(&limiter->handshake_rate) == 0)
        return ADDRESS_LIMITER_ADMITTED;
    struct address one = address_of_one_client(address);
    mutex_lock(&limiter->mutex);
    enum address_limiter_answer answer = admit_locked(limiter, &one, now, entry);
    mutex_unlock(&limiter->mutex);
    return answer;
}

void address_limiter_leave(struct address_limiter *limiter, struct limited_address *entry, uint64_t now) {
    if (entry == NULL)
        return;
    mutex_lock(&limiter->mutex);
    if (--entry->connections == 0)
        keep_or_drop_locked(limiter, entry, now);
    mutex_unlock(&limiter->mutex);
}

size_t address_limiter_count(struct address_limiter *limiter) {
    mutex_lock(&limiter->mutex);
    size_t count = limiter->count;
    mutex_unlock(&limiter->mutex);
    return count;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static size_t count_buckets(unsigned places) {
    size_t count = ADDRESS_LIMITER_REMEMBERED_MAX;
    while (count < TABLE_MAX && count < (size_t)places + ADDRESS_LIMITER_REMEMBERED_MAX)
        count *= 2;
    return count;
}

int address_limiter_init(struct address_limiter *limiter, unsigned max_connections, unsigned handshake_rate,
                         unsigned places) {
    *limiter = (struct address_limiter){.max_connections = max_connections, .handshake_rate = handshake_rate};
    mutex_init(&limiter->mutex, ADDRESS_LIMITER_LOCK_RANK);
    if (getrandom(&limiter->seed, sizeof limiter->seed, 0) != (ssize_t)sizeof limiter->seed)
        return -1;
    limiter->bucket_count = count_buckets(places);
    limiter->buckets = calloc(limiter->bucket_count, sizeof(struct limited_address *));
    return limiter->buckets == NULL ? -1 : 0;
}

void address_limiter_set_limits(struct address_limiter *limiter, unsigned max_connections,
                                unsigned handshake_rate) {
    atomic_store(&limiter->max_connections, max_connections);
    atomic_store(&limiter->handshake_rate, handshake_rate);
}

void address_limiter_release(struct address_limiter *limiter) {
    while (limiter->stalest != NULL)
        forget_stalest_locked(limiter);
    free(limiter->buckets);
    limiter->buckets = NULL;
    mutex_destroy(&limiter->mutex);
}
