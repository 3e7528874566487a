/* memory_limit.c - see memory_limit.h. It is a task of its own, so that a thread which finds the limit exceeded
 * need not wait. It closes the largest clients first, and checks again a little later, when what they held has been
 * freed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/memory_limit.h"

#include <malloc.h>
#include <stddef.h>

#include "server/core/conn_private.h"
#include "server/core/memory.h"
#include "server/log/log.h"
#include "ws/buffer.h"

enum { AT_ONCE = 32, PAUSE_MS = 20 };

/* How much a thread adds before it checks the sum: a part of the limit, so that the threads of a pool together
 * exceed it by little. */
enum { STEPS = 64, STEP_MIN = 4096, STEP_MAX = 256 * 1024 };

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

static void memory_limit_insert(struct weir_conn *conn, void *arg) {
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
static void memory_limit_close_largest(struct core *core, int64_t limit) {
    uint64_t conns = (uint64_t)registry_limit(&core->registry) + 1;
    struct largest largest = {.least = (size_t)((uint64_t)limit / SMALL_SHARE / conns)};
    struct task_list ready = {0};
    registry_each(&core->registry, NULL, memory_limit_insert, &largest);
    int64_t target = limit - limit / 10, pending = largest.leaving;
    for (unsigned i = 0; i < largest.count; i++) {
        struct weir_conn *conn = largest.items[i].conn;
        if (memory_used() - pending > target && conn_close_for_memory(conn, &ready))
            pending += (int64_t)(atomic_load(&conn->partial) + conn_memory_leaving(conn));
        weir_conn_release(conn);
    }
    pool_submit_list(core->pool, &ready);
}

static bool memory_limit_is_exceeded(int64_t limit) {
    return limit != 0 && memory_used() > limit;
}

static void memory_limit_start(struct core *core) {
    if (!atomic_exchange(&core->memory_limit.active, true))
        pool_submit(core->pool, &core->memory_limit.task);
}

static void memory_limit_run(struct task *task) {
    struct memory_limit *enforcer = (struct memory_limit *)((char *)task - offsetof(struct memory_limit, task));
    struct core *core = (struct core *)((char *)enforcer - offsetof(struct core, memory_limit));
    int64_t limit = enforcer->limit; /* a reload may change it, or remove it */
    bool again = memory_limit_is_exceeded(limit);
    if (again)
        memory_limit_close_largest(core, limit);
    else {
        buffers_trim();
        malloc_trim(0); /* freed blocks may lie between blocks in use */
    }
    if (!again || pool_set_timer(core->pool, &enforcer->timer, pool_now() + PAUSE_MS) != 0) {
        atomic_store(&enforcer->active, false);
        if (!again && memory_limit_is_exceeded(enforcer->limit)) /* since then, and a check found `active` */
            memory_limit_start(core);
    }
    pool_finish(core->pool, task);
}

/* Takes no reference: it lives as long as the pool does. */
static void memory_limit_keep(struct task *task) {
    (void)task;
}

static const struct task_kind memory_limit_kind = {
    .queue = TASK_IO, .run = memory_limit_run, .retain = memory_limit_keep, .release = memory_limit_keep};

void memory_limit_init(struct memory_limit *enforcer, int64_t limit) {
    *enforcer = (struct memory_limit){.limit = limit};
    task_init(&enforcer->task, &memory_limit_kind);
    timer_init(&enforcer->timer, &enforcer->task);
}

void memory_limit_check(struct core *core) {
    int64_t limit = core->memory_limit.limit, step = limit / STEPS;
    step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
    if (limit != 0 && memory_has_grown(step) && memory_limit_is_exceeded(limit))
        memory_limit_start(core);
}
