/* mutex.c - the checks behind the lock order: which mutexes this thread holds, in the order it took them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/mutex.h"

#ifdef WEIR_CHECK_LOCKS

#include <stdio.h>
#include <stdlib.h>

enum { HELD_MAX = 8 };

static _Thread_local const struct mutex *held[HELD_MAX];
static _Thread_local unsigned held_count;

static _Noreturn void broken(const char *what, unsigned rank) {
    fprintf(stderr, "ERROR: lock order: %s (rank %u, holding %u mutexes)\n", what, rank, held_count);
    abort();
}

void mutex_check_lock(struct mutex *mutex) {
    if (held_count == HELD_MAX)
        broken("too many mutexes", mutex->rank);
    if (held_count > 0 && held[held_count - 1]->rank >= mutex->rank)
        broken("locked below one of a higher or equal rank", mutex->rank);
    held[held_count++] = mutex;
}

void mutex_check_unlock(struct mutex *mutex) {
    if (held_count == 0 || held[held_count - 1] != mutex)
        broken("unlocked out of order", mutex->rank);
    held_count--;
}

void mutex_check_held(const struct mutex *mutex) {
    for (unsigned i = 0; i < held_count; i++)
        if (held[i] == mutex)
            return;
    broken("not held where it must be", mutex->rank);
}

#else
typedef int mutex_has_no_code; /* a C file must declare something */
#endif
