/* route_entry.c - see route_entry.h. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/route_entry.h"

#include <string.h>

void route_entries_release(struct route_entries *entries) {
    if (atomic_fetch_sub_explicit(&entries->references, 1, memory_order_acq_rel) == 1)
        entries->destroy(entries);
}

struct route *route_entries_find(const struct route_entries *entries, const char *pattern) {
    for (size_t i = 0; i < entries->count; i++)
        if (strcmp(entries->items[i].route->pattern, pattern) == 0)
            return entries->items[i].route;
    return NULL;
}

void current_routes_init(struct current_routes *current) {
    *current = (struct current_routes){.entries = NULL};
    mutex_init(&current->mutex, ROUTING_LOCK_RANK);
}

void current_routes_release(struct current_routes *current) {
    route_entries_replace(current, NULL);
    mutex_destroy(&current->mutex);
}

struct route_entries *route_entries_current(struct current_routes *current) {
    mutex_lock(&current->mutex);
    struct route_entries *entries = current->entries;
    atomic_fetch_add_explicit(&entries->references, 1, memory_order_relaxed);
    mutex_unlock(&current->mutex);
    return entries;
}

void route_entries_replace(struct current_routes *current, struct route_entries *entries) {
    mutex_lock(&current->mutex);
    struct route_entries *before = current->entries;
    current->entries = entries;
    mutex_unlock(&current->mutex);
    if (before != NULL)
        route_entries_release(before);
}
