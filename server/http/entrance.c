/* entrance.c - see entrance.h. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/entrance.h"

#include <string.h>

void entrances_release(struct entrances *entrances) {
    if (atomic_fetch_sub_explicit(&entrances->references, 1, memory_order_acq_rel) == 1)
        entrances->destroy(entrances);
}

struct route *entrances_find(const struct entrances *entrances, const char *pattern) {
    for (size_t i = 0; i < entrances->count; i++)
        if (strcmp(entrances->items[i].route->pattern, pattern) == 0)
            return entrances->items[i].route;
    return NULL;
}

void doors_init(struct doors *doors) {
    *doors = (struct doors){.entrances = NULL};
    mutex_init(&doors->mutex, ROUTING_LOCK_RANK);
}

void doors_release(struct doors *doors) {
    entrances_replace(doors, NULL);
    mutex_destroy(&doors->mutex);
}

struct entrances *entrances_current(struct doors *doors) {
    mutex_lock(&doors->mutex);
    struct entrances *entrances = doors->entrances;
    atomic_fetch_add_explicit(&entrances->references, 1, memory_order_relaxed);
    mutex_unlock(&doors->mutex);
    return entrances;
}

void entrances_replace(struct doors *doors, struct entrances *entrances) {
    mutex_lock(&doors->mutex);
    struct entrances *before = doors->entrances;
    doors->entrances = entrances;
    mutex_unlock(&doors->mutex);
    if (before != NULL)
        entrances_release(before);
}
