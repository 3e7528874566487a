/* shed.c - see shed.h. It is a task of its own, so that a thread which finds the limit exceeded need not wait. It
 * closes the largest clients first, and checks again a little later, when what they held has been freed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/shed.h"

#include <malloc.h>
#include <stddef.h>

#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "server/log/log.h"
#include "ws/buffer.h"

enum { AT_ONCE = 32, PAUSE_MS = 20 };

/* The connections that hold most, the largest first, each with a reference. */
struct largest {
    struct {
        struct weir_conn *conn;
        size_t size;
    } items[AT_ONCE];
    unsigned count;
    size_t least;    /* connections that hold less are left alone */
    int64_t leaving; /* what connections that have been closed hold for a moment longer */
};

static void insert(struct weir_conn *conn, void *arg) {
    struct largest *largest = arg;
    size_t size = conn_memory(conn);
    largest->leaving += (int64_t)conn_memory_leaving(conn);
    unsigned last = largest->count < AT_ONCE ? largest->count : AT_ONCE - 1;
    if (size == 0 || size < largest->least || (largest->count == AT_ONCE && size <= largest->items[last].size))
        return;
    if (largest->count == AT_ONCE)
        weir_conn_release(largest->items[last].conn);
    else
        largest->count++;
    unsigned at = last;
    for (; at > 0 && largest->items[at - 1].size < size; at--)
        largest->items[at] = largest->items[at - 1];
    largest->items[at].conn = weir_conn_retain(conn);
    largest->items[at].size = size;
}

/* Clients that hold less than `least` hold, all together, an eighth of the limit at most: closing them would not
 * help. The rest of what is counted has limits of its own (history_memory, idle channels). */
enum { SMALL_SHARE = 8 };

/* What the tasks of other connections hold (a partly received message, or one being written) is freed when they
 * run. Until then it is counted as freed. */
static void shed_largest(struct core *core, int64_t limit) {
    uint64_t places = (uint64_t)registry_limit(&core->registry) + 1;
    struct largest largest = {.least = (size_t)((uint64_t)limit / SMALL_SHARE / places)};
    struct task_list ready = {0};
    registry_each(&core->registry, NULL, insert, &largest);
    int64_t target = limit - limit / 10, pending = largest.leaving;
    for (unsigned i = 0; i < largest.count; i++) {
        struct weir_conn *conn = largest.items[i].conn;
        if (memory_used() - pending > target && conn_shed(conn, &ready))
            pending += (int64_t)(atomic_load(&conn->partial) + conn_memory_leaving(conn));
        weir_conn_release(conn);
    }
    pool_submit_list(core->pool, &ready);
}

static void run(struct task *task) {
    struct shed *shed = (struct shed *)((char *)task - offsetof(struct shed, task));
    struct core *core = (struct core *)((char *)shed - offsetof(struct core, shed));
    int64_t limit = shed->limit; /* a reload may change it, or remove it */
    bool again = limit != 0 && memory_used() > limit;
    if (again)
        shed_largest(core, limit);
    else {
        buffers_trim();
        malloc_trim(0); /* freed blocks may lie between blocks in use */
    }
    if (!again || pool_set_timer(core->pool, &shed->timer, pool_now() + PAUSE_MS) != 0)
        atomic_store(&shed->active, false);
    pool_finish(core->pool, task);
}

/* Takes no reference: it lives as long as the pool does. */
static void keep(struct task *task) {
    (void)task;
}

static const struct task_kind shed_kind = {.queue = TASK_IO, .run = run, .retain = keep, .release = keep};

void shed_init(struct shed *shed, int64_t limit) {
    *shed = (struct shed){.limit = limit};
    task_init(&shed->task, &shed_kind);
    timer_init(&shed->timer, &shed->task);
}

void shed_check(struct core *core) {
    struct shed *shed = &core->shed;
    if (shed->limit == 0 || !memory_has_grown() || memory_used() <= shed->limit)
        return;
    if (!atomic_exchange(&shed->active, true))
        pool_submit(core->pool, &shed->task);
}
