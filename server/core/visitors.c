/* visitors.c - see visitors.h. A chained hash table, and a list of the addresses without connections.
 *
 * The rate is a leaky bucket. Each handshake is a debt, which is paid off steadily and may grow to a second's
 * worth. An address that owes nothing and has no connection need not be known.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/visitors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/core/core.h"

/* A debt is counted in thousandths of a handshake, so that a rate per second is the same number per
 * millisecond. */
enum { HANDSHAKE = 1000, TABLE_MAX = 1 << 20, FORGOTTEN_AT_ONCE = 4 };

struct visitor {
    struct visitor *next;          /* in its bucket */
    struct visitor *older, *newer; /* in the list of addresses without connections */
    struct address address;
    unsigned connections;
    uint64_t debt, debt_at; /* what it owed, and when */
};

/* --- The table --------------------------------------------------------------------------------------------- */

/* The finalizer of SplitMix64: each bit of the result depends on each bit of the number. */
static uint64_t mix(uint64_t number) {
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static struct visitor **bucket_of(const struct visitors *visitors, const struct address *address) {
    uint64_t halves[2];
    memcpy(halves, address->bytes, sizeof halves);
    uint64_t hash = mix(mix(halves[0] ^ visitors->seed) ^ halves[1]);
    return &visitors->buckets[hash & (visitors->bucket_count - 1)];
}

static struct visitor *find_locked(const struct visitors *visitors, const struct address *address) {
    struct visitor *visitor = *bucket_of(visitors, address);
    while (visitor != NULL && !address_equal(&visitor->address, address))
        visitor = visitor->next;
    return visitor;
}

static struct visitor *add_locked(struct visitors *visitors, const struct address *address, uint64_t now) {
    struct visitor *visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL)
        return NULL;
    struct visitor **bucket = bucket_of(visitors, address);
    visitor->address = *address;
    visitor->debt_at = now;
    visitor->next = *bucket;
    *bucket = visitor;
    visitors->count++;
    return visitor;
}

static void drop_locked(struct visitors *visitors, struct visitor *visitor) {
    struct visitor **link = bucket_of(visitors, &visitor->address);
    while (*link != visitor)
        link = &(*link)->next;
    *link = visitor->next;
    visitors->count--;
    free(visitor);
}

/* --- Those without connections ----------------------------------------------------------------------------- */

static void unlist_locked(struct visitors *visitors, struct visitor *visitor) {
    if (visitor->older == NULL)
        visitors->stalest = visitor->newer;
    else
        visitor->older->newer = visitor->newer;
    if (visitor->newer == NULL)
        visitors->freshest = visitor->older;
    else
        visitor->newer->older = visitor->older;
    visitors->remembered--;
}

static void forget_stalest_locked(struct visitors *visitors) {
    struct visitor *visitor = visitors->stalest;
    visitors->stalest = visitor->newer;
    *(visitor->newer == NULL ? &visitors->freshest : &visitor->newer->older) = NULL;
    visitors->remembered--;
    drop_locked(visitors, visitor);
}

static void list_locked(struct visitors *visitors, struct visitor *visitor) {
    visitor->newer = NULL;
    visitor->older = visitors->freshest;
    *(visitor->older == NULL ? &visitors->stalest : &visitor->older->newer) = visitor;
    visitors->freshest = visitor;
    if (++visitors->remembered > VISITORS_REMEMBERED_MAX)
        forget_stalest_locked(visitors);
}

static void pay_off(struct visitor *visitor, unsigned rate, uint64_t now) {
    if (rate == 0)
        visitor->debt = 0;
    if (now <= visitor->debt_at) /* another thread got from the clock to the mutex faster */
        return;
    uint64_t paid = (now - visitor->debt_at) * rate;
    visitor->debt = paid < visitor->debt ? visitor->debt - paid : 0;
    visitor->debt_at = now;
}

/* Lists or drops an address that has no connection and is in no list. */
static void settle_locked(struct visitors *visitors, struct visitor *visitor, uint64_t now) {
    pay_off(visitor, visitors->handshake_rate, now);
    if (visitor->debt > 0)
        list_locked(visitors, visitor);
    else
        drop_locked(visitors, visitor);
}

/* Forgets a few addresses at a time, but more than are added. So no thread waits long for the mutex, and no
 * address stays long. */
static void forget_idle_locked(struct visitors *visitors, uint64_t now) {
    for (int i = 0; i < FORGOTTEN_AT_ONCE && visitors->stalest != NULL; i++) {
        pay_off(visitors->stalest, visitors->handshake_rate, now);
        if (visitors->stalest->debt > 0)
            return;
        forget_stalest_locked(visitors);
    }
}

/* --- Coming and going -------------------------------------------------------------------------------------- */

static enum visitors_answer judge(const struct visitors *visitors, struct visitor *visitor, uint64_t now) {
    unsigned rate = atomic_load(&visitors->handshake_rate), places = atomic_load(&visitors->max_connections);
    if (rate > 0) {
        uint64_t most = (uint64_t)rate * HANDSHAKE;
        pay_off(visitor, rate, now);
        if (visitor->debt + HANDSHAKE > most)
            return VISITORS_TOO_FAST;
        visitor->debt += HANDSHAKE;
    }
    if (places > 0 && visitor->connections >= places)
        return VISITORS_TOO_MANY;
    visitor->connections++;
    return VISITORS_ADMITTED;
}

static enum visitors_answer admit_locked(struct visitors *visitors, const struct address *address, uint64_t now,
                                         struct visitor **admitted) {
    forget_idle_locked(visitors, now);
    struct visitor *visitor = find_locked(visitors, address);
    if (visitor == NULL)
        visitor = add_locked(visitors, address, now);
    else if (visitor->connections == 0)
        unlist_locked(visitors, visitor);
    if (visitor == NULL)
        return VISITORS_NO_MEMORY;
    enum visitors_answer answer = judge(visitors, visitor, now);
    if (answer == VISITORS_ADMITTED)
        *admitted = visitor;
    else if (visitor->connections == 0)
        settle_locked(visitors, visitor, now);
    return answer;
}

enum visitors_answer visitors_admit(struct visitors *visitors, const struct address *address, uint64_t now,
                                    struct visitor **visitor) {
    *visitor = NULL;
    if (atomic_load(&visitors->max_connections) == 0 && atomic_load(&visitors->handshake_rate) == 0)
        return VISITORS_ADMITTED;
    struct address one = address_of_one_client(address);
    mutex_lock(&visitors->mutex);
    enum visitors_answer answer = admit_locked(visitors, &one, now, visitor);
    mutex_unlock(&visitors->mutex);
    return answer;
}

void visitors_leave(struct visitors *visitors, struct visitor *visitor, uint64_t now) {
    if (visitor == NULL)
        return;
    mutex_lock(&visitors->mutex);
    if (--visitor->connections == 0)
        settle_locked(visitors, visitor, now);
    mutex_unlock(&visitors->mutex);
}

size_t visitors_count(struct visitors *visitors) {
    mutex_lock(&visitors->mutex);
    size_t count = visitors->count;
    mutex_unlock(&visitors->mutex);
    return count;
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static size_t count_buckets(unsigned places) {
    size_t count = VISITORS_REMEMBERED_MAX;
    while (count < TABLE_MAX && count < (size_t)places + VISITORS_REMEMBERED_MAX)
        count *= 2;
    return count;
}

int visitors_init(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate, unsigned places) {
    *visitors = (struct visitors){.max_connections = max_connections, .handshake_rate = handshake_rate};
    mutex_init(&visitors->mutex, VISITORS_LOCK_RANK);
    if (getrandom(&visitors->seed, sizeof visitors->seed, 0) != (ssize_t)sizeof visitors->seed)
        return -1;
    visitors->bucket_count = count_buckets(places);
    visitors->buckets = calloc(visitors->bucket_count, sizeof(struct visitor *));
    return visitors->buckets == NULL ? -1 : 0;
}

void visitors_set_limits(struct visitors *visitors, unsigned max_connections, unsigned handshake_rate) {
    atomic_store(&visitors->max_connections, max_connections);
    atomic_store(&visitors->handshake_rate, handshake_rate);
}

void visitors_release(struct visitors *visitors) {
    while (visitors->stalest != NULL)
        forget_stalest_locked(visitors);
    free(visitors->buckets);
    visitors->buckets = NULL;
    mutex_destroy(&visitors->mutex);
}
