/* user_timer.c - timers of handlers and programs: weir_timer_start(). The callback holds a permit. Any thread.
 *
 * One mutex guards all timers of a core. A timer has up to three references: the user's goes with the handle; the
 * list's lasts while a call may follow; the task's lasts while the task is queued or runs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/user_timer.h"

#include <stdlib.h>

#include "server/core/turn.h"

enum user_timer_state { TIMER_PENDING, TIMER_RUNNING, TIMER_OVER };

struct weir_timer {
    struct core *core; /* immutable; so are callback, arg and interval_ms */
    void (*callback)(void *arg);
    void *arg;
    uint64_t interval_ms; /* 0: it calls once */
    struct task task;
    struct timer timer; /* guarded by the pool's mutex */
    _Atomic unsigned references;

    /* Guarded by the mutex of core->timers: */
    pthread_cond_t returned; /* the callback has */
    uint64_t deadline;
    enum user_timer_state state;
    bool cancelled;                  /* no call follows the one that runs */
    struct weir_timer *next, **link; /* in core->timers; link is NULL: it is not there */
};

void user_timers_init(struct user_timers *timers) {
    *timers = (struct user_timers){.first = NULL};
    mutex_init(&timers->mutex, USER_TIMER_LOCK_RANK);
}

/* --- References -------------------------------------------------------------------------------------------- */

static weir_timer *user_timer_of(struct task *task) {
    return (weir_timer *)((char *)task - offsetof(weir_timer, task));
}

static void user_timer_destroy(weir_timer *timer) {
    struct core *core = timer->core;
    pthread_cond_destroy(&timer->returned);
    free(timer);
    core_release(core);
}

static void user_timer_retain(struct task *task) {
    atomic_fetch_add(&user_timer_of(task)->references, 1);
}

static void user_timer_release(struct task *task) {
    weir_timer_release(user_timer_of(task));
}

void weir_timer_release(weir_timer *timer) {
    if (timer != NULL && atomic_fetch_sub(&timer->references, 1) == 1)
        user_timer_destroy(timer);
}

static void user_timer_list_locked(weir_timer *timer) {
    struct user_timers *timers = &timer->core->timers;
    timer->next = timers->first;
    timer->link = &timers->first;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    timers->first = timer;
}

/* Returns whether the timer was in the list; then its reference is the caller's. */
static bool user_timer_unlist_locked(weir_timer *timer) {
    if (timer->link == NULL)
        return false;
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timer->link = NULL;
    return true;
}

/* --- Calling ----------------------------------------------------------------------------------------------- */

static bool user_timer_begin(weir_timer *timer) {
    struct user_timers *timers = &timer->core->timers;
    mutex_lock(&timers->mutex);
    bool pending = timer->state == TIMER_PENDING;
    if (pending)
        timer->state = TIMER_RUNNING;
    mutex_unlock(&timers->mutex);
    return pending;
}

/* Sets the timer for its next call, a whole number of intervals after the last. Calls that are past already are
 * left out. */
static bool user_timer_repeat_locked(weir_timer *timer) {
    uint64_t now = pool_now(), interval = timer->interval_ms;
    if (interval == 0 || timer->cancelled || interval > UINT64_MAX - now)
        return false;
    uint64_t late = now > timer->deadline ? now - timer->deadline : 0;
    timer->deadline += interval + late / interval * interval;
    return pool_set_timer(timer->core->pool, &timer->timer, timer->deadline) == 0;
}

static void user_timer_finish(weir_timer *timer) {
    struct user_timers *timers = &timer->core->timers;
    mutex_lock(&timers->mutex);
    bool repeats = user_timer_repeat_locked(timer);
    timer->state = repeats ? TIMER_PENDING : TIMER_OVER;
    bool unlisted = !repeats && user_timer_unlist_locked(timer);
    pthread_cond_broadcast(&timer->returned);
    mutex_unlock(&timers->mutex);
    if (unlisted)
        weir_timer_release(timer);
}

static void user_timer_run(struct task *task) {
    weir_timer *timer = user_timer_of(task);
    struct pool *pool = timer->core->pool;
    if (user_timer_begin(timer)) {
        turn.callback = (struct callback){.name = "timer", .is_timer = true};
        timer->callback(timer->arg);
        turn.callback = (struct callback){0};
        user_timer_finish(timer);
    }
    /* The run has a reference of its own, which pool_finish() gives back. */
    pool_finish(pool, task); /* NOLINT(clang-analyzer-unix.Malloc) */
}

static const struct task_kind user_timer_kind = {
    .queue = TASK_HANDLER, .run = user_timer_run, .retain = user_timer_retain, .release = user_timer_release};

/* --- Starting and ending ----------------------------------------------------------------------------------- */

static bool user_timer_set(weir_timer *timer) {
    struct user_timers *timers = &timer->core->timers;
    mutex_lock(&timers->mutex);
    bool set = !timers->ended && pool_set_timer(timer->core->pool, &timer->timer, timer->deadline) == 0;
    if (set)
        user_timer_list_locked(timer);
    mutex_unlock(&timers->mutex);
    return set;
}

weir_timer *user_timer_start(struct core *core, uint64_t delay_ms, uint64_t interval_ms,
                             void (*callback)(void *arg), void *arg) {
    weir_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    timer->core = core;
    core_retain(core);
    timer->callback = callback;
    timer->arg = arg;
    timer->interval_ms = interval_ms;
    task_init(&timer->task, &user_timer_kind);
    timer_init(&timer->timer, &timer->task);
    atomic_init(&timer->references, 2);
    pthread_cond_init(&timer->returned, NULL);
    uint64_t now = pool_now();
    timer->deadline = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
    if (user_timer_set(timer))
        return timer;
    user_timer_destroy(timer);
    return NULL;
}

bool weir_timer_cancel(weir_timer *timer) {
    struct user_timers *timers = &timer->core->timers;
    mutex_lock(&timers->mutex);
    bool pending = timer->state == TIMER_PENDING;
    timer->cancelled = true;
    if (pending) {
        pool_cancel_timer(timer->core->pool, &timer->timer);
        timer->state = TIMER_OVER;
    }
    bool unlisted = pending && user_timer_unlist_locked(timer);
    while (timer->state == TIMER_RUNNING && !turn.callback.is_timer)
        mutex_wait(&timer->returned, &timers->mutex);
    mutex_unlock(&timers->mutex);
    if (unlisted)
        weir_timer_release(timer);
    return pending;
}

void user_timers_end(struct core *core) {
    struct user_timers *timers = &core->timers;
    weir_timer *timer;
    mutex_lock(&timers->mutex);
    timers->ended = true;
    while ((timer = timers->first) != NULL) {
        pool_cancel_timer(core->pool, &timer->timer);
        user_timer_unlist_locked(timer);
        mutex_unlock(&timers->mutex);
        weir_timer_release(timer);
        mutex_lock(&timers->mutex);
    }
    mutex_unlock(&timers->mutex);
}
