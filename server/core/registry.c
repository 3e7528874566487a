/* registry.c - see registry.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/registry.h"

#include <limits.h>
#include <time.h>

#include "server/core/conn_private.h"

void registry_init(struct registry *registry, unsigned limit) {
    *registry = (struct registry){.limit = limit};
    mutex_init(&registry->mutex, REGISTRY_LOCK_RANK);
    mutex_condition_init(&registry->empty);
}

void registry_release(struct registry *registry) {
    handle_table_release(&registry->handles);
    pthread_cond_destroy(&registry->empty);
    mutex_destroy(&registry->mutex);
}

enum registry_answer registry_admit(struct registry *registry) {
    enum registry_answer answer = REGISTRY_ADMITTED;
    mutex_lock(&registry->mutex);
    if (registry->closed)
        answer = REGISTRY_CLOSED;
    else if (registry->admitted >= registry->limit)
        answer = REGISTRY_FULL;
    else
        registry->admitted++;
    mutex_unlock(&registry->mutex);
    return answer;
}

void registry_leave(struct registry *registry) {
    mutex_lock(&registry->mutex);
    if (--registry->admitted == 0)
        pthread_cond_broadcast(&registry->empty);
    mutex_unlock(&registry->mutex);
}

static void registry_link_locked(struct weir_conn *conn) {
    struct weir_conn *next = conn->route->first;
    conn->link = (struct registry_link){.next = next};
    if (next != NULL)
        next->link.previous = conn;
    conn->route->first = conn;
    receivers_add(&conn->route->receivers, conn);
    atomic_fetch_add(&conn->route->open, 1);
}

static void registry_unlink_locked(struct weir_conn *conn) {
    struct weir_conn *next = conn->link.next, *previous = conn->link.previous;
    if (previous == NULL)
        conn->route->first = next;
    else
        previous->link.next = next;
    if (next != NULL)
        next->link.previous = previous;
    receivers_remove(&conn->route->receivers, conn);
    atomic_fetch_sub(&conn->route->open, 1);
}

unsigned registry_limit(struct registry *registry) {
    mutex_lock(&registry->mutex);
    unsigned limit = registry->limit;
    mutex_unlock(&registry->mutex);
    return limit;
}

void registry_set_limit(struct registry *registry, unsigned limit) {
    mutex_lock(&registry->mutex);
    registry->limit = limit;
    mutex_unlock(&registry->mutex);
}

int registry_add(struct registry *registry, struct weir_conn *conn) {
    static _Atomic uint64_t last_id; /* shared by all servers of the process and all their runs */
    mutex_lock(&registry->mutex);
    conn->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    conn->key = handle_table_add(&registry->handles, conn);
    if (conn->key != HANDLE_TABLE_NO_KEY)
        registry_link_locked(conn);
    if (registry->closed) { /* it was admitted before, and the pass that ends connections has not met it */
        small_mutex_lock(&conn->mutex);
        conn_begin_drain_locked(conn);
        small_mutex_unlock(&conn->mutex);
    }
    mutex_unlock(&registry->mutex);
    return conn->key == HANDLE_TABLE_NO_KEY ? -1 : 0;
}

void registry_remove(struct registry *registry, struct weir_conn *conn) {
    mutex_lock(&registry->mutex);
    registry_unlink_locked(conn);
    handle_table_remove(&registry->handles, conn->key);
    mutex_unlock(&registry->mutex);
}

void registry_each(struct registry *registry, const struct route *route,
                   void (*visit)(struct weir_conn *conn, void *arg), void *arg) {
    if (route == NULL) {
        registry_each_from(registry, &(uint32_t){0}, UINT_MAX, visit, arg);
        return;
    }
    mutex_lock(&registry->mutex);
    for (struct weir_conn *conn = route->first; conn != NULL; conn = conn->link.next)
        visit(conn, arg);
    mutex_unlock(&registry->mutex);
}

unsigned registry_each_from(struct registry *registry, uint32_t *position, unsigned count,
                            void (*visit)(struct weir_conn *conn, void *arg), void *arg) {
    unsigned visited = 0;
    mutex_lock(&registry->mutex);
    for (; visited < count && *position < registry->handles.count; ++*position) {
        struct weir_conn *conn = registry->handles.entries[*position].owner;
        if (conn == NULL)
            continue;
        visit(conn, arg);
        visited++;
    }
    mutex_unlock(&registry->mutex);
    return visited;
}

struct wanted {
    uint64_t id;
    struct weir_conn *found;
};

static void registry_compare(struct weir_conn *conn, void *arg) {
    struct wanted *wanted = arg;
    if (conn->id == wanted->id)
        wanted->found = weir_conn_retain(conn);
}

struct weir_conn *registry_find(struct registry *registry, uint64_t id) {
    enum { PORTION = 1000 }; /* so that no thread waits long for the mutex */
    struct wanted wanted = {.id = id};
    uint32_t position = 0;
    while (wanted.found == NULL &&
           registry_each_from(registry, &position, PORTION, registry_compare, &wanted) == PORTION)
        continue;
    return wanted.found;
}

void registry_close(struct registry *registry) {
    mutex_lock(&registry->mutex);
    registry->closed = true;
    mutex_unlock(&registry->mutex);
}

bool registry_is_closed(struct registry *registry) {
    mutex_lock(&registry->mutex);
    bool closed = registry->closed;
    mutex_unlock(&registry->mutex);
    return closed;
}

unsigned registry_wait_empty(struct registry *registry, uint64_t deadline) {
    mutex_lock(&registry->mutex);
    while (registry->admitted > 0)
        if (!mutex_wait_until(&registry->empty, &registry->mutex, deadline))
            break;
    unsigned left = registry->admitted;
    mutex_unlock(&registry->mutex);
    return left;
}

unsigned registry_count(struct registry *registry) {
    mutex_lock(&registry->mutex);
    unsigned count = registry->admitted;
    mutex_unlock(&registry->mutex);
    return count;
}
