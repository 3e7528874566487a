/* after.c - weir_timer_start(): calls back once, later, in a slot. Any thread.
 *
 * There are two references. The user's goes with the handle. The pool's lasts from when the timer is set until its
 * task has run or the timer is cancelled.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/after.h"

#include <stdlib.h>

#include "base/mutex.h"
#include "server/core/calling.h"

enum after_state { AFTER_PENDING, AFTER_RUNNING, AFTER_ENDED, AFTER_CANCELLED };

struct weir_timer {
    struct core *core; /* immutable; so are callback and arg */
    void (*callback)(void *arg);
    void *arg;
    struct task task;
    struct timer timer; /* guarded by the pool's mutex */
    _Atomic unsigned references;
    struct mutex mutex; /* guards all fields below */
    pthread_cond_t ended;
    enum after_state state;
};

/* True while this thread is in a timer's callback. It then never waits for another timer, which may be waiting for
 * it. */
static _Thread_local bool calling_back;

static weir_timer *timer_of(struct task *task) {
    return (weir_timer *)((char *)task - offsetof(weir_timer, task));
}

static void timer_destroy(weir_timer *timer) {
    struct core *core = timer->core;
    pthread_cond_destroy(&timer->ended);
    mutex_destroy(&timer->mutex);
    free(timer);
    core_release(core);
}

static void timer_release(weir_timer *timer, unsigned references) {
    if (atomic_fetch_sub(&timer->references, references) == references)
        timer_destroy(timer);
}

/* Takes no reference: the one that the set timer had becomes the task's. */
static void task_retain(struct task *task) {
    (void)task;
}

static void task_release(struct task *task) {
    timer_release(timer_of(task), 1);
}

static bool begin(weir_timer *timer) {
    mutex_lock(&timer->mutex);
    bool wanted = timer->state == AFTER_PENDING;
    if (wanted)
        timer->state = AFTER_RUNNING;
    mutex_unlock(&timer->mutex);
    return wanted;
}

static void run(struct task *task) {
    weir_timer *timer = timer_of(task);
    struct pool *pool = timer->core->pool;
    if (begin(timer)) {
        calling.callback = "timer";
        calling_back = true;
        timer->callback(timer->arg);
        calling_back = false;
        calling.callback = NULL;
        mutex_lock(&timer->mutex);
        timer->state = AFTER_ENDED;
        pthread_cond_broadcast(&timer->ended);
        mutex_unlock(&timer->mutex);
    }
    pool_finish(pool, task);
}

static const struct task_kind after_kind = {
    .queue = TASK_HANDLER, .run = run, .retain = task_retain, .release = task_release};

weir_timer *after_start(struct core *core, uint64_t delay_ms, void (*callback)(void *arg), void *arg) {
    weir_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    timer->core = core;
    core_retain(core);
    timer->callback = callback;
    timer->arg = arg;
    task_init(&timer->task, &after_kind);
    timer_init(&timer->timer, &timer->task);
    atomic_init(&timer->references, 2);
    mutex_init(&timer->mutex, AFTER_LOCK_RANK);
    pthread_cond_init(&timer->ended, NULL);
    uint64_t now = pool_now();
    uint64_t deadline = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
    if (pool_set_timer(core->pool, &timer->timer, deadline) == 0)
        return timer;
    timer_destroy(timer);
    return NULL;
}

/* Returns whether the callback will not run. */
static bool cancel_queued(weir_timer *timer) {
    mutex_lock(&timer->mutex);
    bool pending = timer->state == AFTER_PENDING;
    if (pending)
        timer->state = AFTER_CANCELLED;
    while (timer->state == AFTER_RUNNING && !calling_back)
        mutex_wait(&timer->ended, &timer->mutex);
    mutex_unlock(&timer->mutex);
    return pending;
}

bool weir_timer_cancel(weir_timer *timer) {
    if (pool_cancel_timer(timer->core->pool, &timer->timer)) {
        timer_release(timer, 2); /* the pool's reference too */
        return true;
    }
    bool prevented = cancel_queued(timer);
    timer_release(timer, 1);
    return prevented;
}
