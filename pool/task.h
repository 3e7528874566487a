/* task.h - a piece of work that a connection gives to the pool, and the list in which it waits.
 *
 * A task is embedded in its owner, so queueing allocates nothing. Its state is one atomic word. The thread that
 * moves it out of TASK_IDLE holds a reference on the owner and must see that the task runs. Only one thread at a
 * time runs a task. So one thread reads a connection, and one thread runs its handler, without holding a lock
 * meanwhile.
 *
 * Every change is a read-modify-write, even where a store would do. So everything done before a claim is visible
 * to the run that the claim asked for. task_claim_after_lock() relies on a mutex for that.
 *
 *     IDLE -- task_claim --> QUEUED -- a thread takes it --> RUNNING -- task_leave --> IDLE
 *                                                             |  ^
 *                                     claimed while it runs   v  |  left: queued once more
 *                                                            AGAIN
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_POOL_TASK_H
#define WEIR_POOL_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct concurrency_limit;

enum task_queue {
    TASK_IO,     /* never blocks: reading, decoding, sending */
    TASK_HANDLER /* may block: holds a permit while it runs */
};

/* What tasks of a kind have in common. */
struct task_kind {
    enum task_queue queue;
    void (*run)(struct task *task); /* must end with pool_finish() */
    void (*retain)(struct task *task);
    void (*release)(struct task *task);

    /* Makes the processor fetch what a run will touch. Not NULL means that the runs are brief and never become
     * handler runs, so a thread may take several such tasks at once. */
    void (*prefetch)(const struct task *task);

    /* For handler tasks: the concurrency limit that counts, and the task to queue when a run takes long (it sends
     * what the handler has written so far). Either may be NULL. */
    struct concurrency_limit *(*concurrency)(struct task *task);
    struct task *(*on_stall)(struct task *task);
};

enum task_state { TASK_IDLE, TASK_QUEUED, TASK_RUNNING, TASK_AGAIN };

enum { TASK_STATE_MASK = 3 };

_Static_assert(_Alignof(struct task_kind) > TASK_STATE_MASK, "the lowest bits of a kind's address are free");

/* A connection embeds three tasks, so state and kind share a word to save memory. */
struct task {
    struct task *next;       /* the next in a task_list; guarded like that list */
    _Atomic uintptr_t state; /* enum task_state in the low bits, the address of the kind above; the kind never
                                changes */
};

static inline const struct task_kind *task_kind(const struct task *task) {
    uintptr_t state = atomic_load_explicit(&task->state, memory_order_relaxed);
    return (const struct task_kind *)(state & ~(uintptr_t)TASK_STATE_MASK);
}

static inline void task_init(struct task *task, const struct task_kind *kind) {
    task->next = NULL;
    atomic_init(&task->state, (uintptr_t)kind | TASK_IDLE);
}

/* The value of the word in another state. */
static inline uintptr_t task_in_state(const struct task *task, enum task_state state) {
    return (uintptr_t)task_kind(task) | state;
}

/* Asks for a run. True: the caller must now queue the task; a reference was taken. False: a run that begins after
 * this call is certain already. */
static inline bool task_claim(struct task *task) {
    uintptr_t state = atomic_load(&task->state), again = task_in_state(task, TASK_AGAIN);
    uintptr_t queued = task_in_state(task, TASK_QUEUED), running = task_in_state(task, TASK_RUNNING);
    for (;;) {
        if (state == queued || state == again) {
            if (atomic_compare_exchange_weak(&task->state, &state, state))
                return false;
        } else if (state == running) {
            if (atomic_compare_exchange_weak(&task->state, &state, again))
                return false;
        } else if (atomic_compare_exchange_weak(&task->state, &state, queued)) {
            task_kind(task)->retain(task);
            return true;
        }
    }
}

/* Does the same as task_claim(), at half the cost if a run is certain already. Everything that the run has to see
 * must have been done under a mutex that each run takes after task_take(). If a run has taken that mutex before
 * the caller did, the caller no longer sees the task as queued. Any later run sees what the caller did. */
static inline bool task_claim_after_lock(struct task *task) {
    uintptr_t state = atomic_load_explicit(&task->state, memory_order_acquire);
    if (state == task_in_state(task, TASK_QUEUED) || state == task_in_state(task, TASK_AGAIN))
        return false;
    return task_claim(task);
}

/* Takes an idle task to run it in place. Returns false if it is queued or running. */
static inline bool task_begin(struct task *task) {
    uintptr_t idle = task_in_state(task, TASK_IDLE);
    if (!atomic_compare_exchange_strong(&task->state, &idle, task_in_state(task, TASK_RUNNING)))
        return false;
    task_kind(task)->retain(task);
    return true;
}

/* Does the same as task_begin(), without taking a reference, for a thread that keeps the owner alive until the run
 * is over. The run ends with pool_finish_borrowed(). */
static inline bool task_borrow(struct task *task) {
    uintptr_t idle = task_in_state(task, TASK_IDLE);
    return atomic_compare_exchange_strong(&task->state, &idle, task_in_state(task, TASK_RUNNING));
}

/* For a task that the caller runs: whether no thread has claimed it during the run. */
static inline bool task_is_only_running(const struct task *task) {
    return atomic_load(&task->state) == task_in_state(task, TASK_RUNNING);
}

/* For a task that has left its queue: it is running now. */
static inline void task_take(struct task *task) {
    atomic_exchange(&task->state, task_in_state(task, TASK_RUNNING));
}

/* Called by the thread that runs the task: asks for one more run after this one. */
static inline void task_again(struct task *task) {
    atomic_exchange(&task->state, task_in_state(task, TASK_AGAIN));
}

/* Called by the thread that ran the task. True: it was claimed during the run and must be queued; the reference
 * goes with it. False: it is idle, and the caller must release the reference. */
static inline bool task_leave(struct task *task) {
    uintptr_t running = task_in_state(task, TASK_RUNNING);
    if (atomic_compare_exchange_strong(&task->state, &running, task_in_state(task, TASK_IDLE)))
        return false;
    atomic_exchange(&task->state, task_in_state(task, TASK_QUEUED));
    return true;
}

/* A first in, first out list. */
struct task_list {
    struct task *first, *last;
    size_t count;
    bool mixed; /* the list may contain a handler task */
};

static inline void task_list_push(struct task_list *list, struct task *task) {
    task->next = NULL;
    list->mixed = list->mixed || task_kind(task)->queue == TASK_HANDLER;
    if (list->last == NULL)
        list->first = task;
    else
        list->last->next = task;
    list->last = task;
    list->count++;
}

static inline void task_list_push_front(struct task_list *list, struct task *task) {
    task->next = list->first;
    list->first = task;
    if (list->last == NULL)
        list->last = task;
    list->count++;
}

static inline struct task *task_list_pop(struct task_list *list) {
    struct task *task = list->first;
    if (task == NULL)
        return NULL;
    list->first = task->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    return task;
}

/* Moves all tasks of `other` to the end of `list`, in constant time. */
static inline void task_list_append(struct task_list *list, struct task_list *other) {
    if (other->first == NULL)
        return;
    if (list->last == NULL)
        list->first = other->first;
    else
        list->last->next = other->first;
    list->last = other->last;
    list->count += other->count;
    list->mixed = list->mixed || other->mixed;
    *other = (struct task_list){.first = NULL};
}

/* Claims a task for a list that will be queued. */
static inline void task_claim_into(struct task *task, struct task_list *ready) {
    if (task_claim(task))
        task_list_push(ready, task);
}

#endif
