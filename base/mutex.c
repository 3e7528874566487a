/* mutex.c - the lock order checks: which mutexes and small mutexes this thread holds, in the order in which it took
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/small_mutex.h"

#ifdef WEIR_CHECK_LOCKS

#include <stdio.h>
#include <stdlib.h>

enum { HELD_MAX = 8 };

struct held {
    const void *lock;
    unsigned rank;
};

static _Thread_local struct held held[HELD_MAX];
static _Thread_local unsigned held_count;

static _Noreturn void broken(const char *what, unsigned rank) {
    fprintf(stderr, "ERROR: lock order: %s (rank %u, holding %u mutexes)\n", what, rank, held_count);
    abort();
}

static void check_lock(const void *lock, unsigned rank) {
    if (held_count == HELD_MAX)
        broken("too many mutexes", rank);
    if (held_count > 0 && held[held_count - 1].rank >= rank)
        broken("locked below one of a higher or equal rank", rank);
    held[held_count++] = (struct held){lock, rank};
}

static void check_unlock(const void *lock, unsigned rank) {
    if (held_count == 0 || held[held_count - 1].lock != lock)
        broken("unlocked out of order", rank);
    held_count--;
}

static void check_held(const void *lock, unsigned rank) {
    for (unsigned i = 0; i < held_count; i++)
        if (held[i].lock == lock)
            return;
    broken("not held where it must be", rank);
}

void mutex_check_lock(struct mutex *mutex) {
    check_lock(mutex, mutex->rank);
}

void mutex_check_unlock(struct mutex *mutex) {
    check_unlock(mutex, mutex->rank);
}

void mutex_check_held(const struct mutex *mutex) {
    check_held(mutex, mutex->rank);
}

void small_mutex_check_lock(const struct small_mutex *mutex) {
    check_lock(mutex, mutex->rank);
}

void small_mutex_check_unlock(const struct small_mutex *mutex) {
    check_unlock(mutex, mutex->rank);
}

void small_mutex_check_held(const struct small_mutex *mutex) {
    check_held(mutex, mutex->rank);
}

#else
typedef int mutex_has_no_code; /* a C file must declare something */
#endif
