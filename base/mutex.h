/* mutex.h - a mutex with a rank. A thread may only lock a mutex whose rank is higher than those of all it holds.
 * That is the lock order, and builds with WEIR_CHECK_LOCKS (the sanitizer flavours) abort when it is broken. In
 * other builds this is a plain pthread_mutex_t.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_MUTEX_H
#define WEIR_BASE_MUTEX_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct mutex {
    pthread_mutex_t pthread;
#ifdef WEIR_CHECK_LOCKS
    unsigned rank;
#endif
};

#ifdef WEIR_CHECK_LOCKS
void mutex_check_lock(struct mutex *mutex);
void mutex_check_unlock(struct mutex *mutex);
void mutex_check_held(const struct mutex *mutex);
#else
static inline void mutex_check_lock(struct mutex *mutex) {
    (void)mutex;
}
static inline void mutex_check_unlock(struct mutex *mutex) {
    (void)mutex;
}
static inline void mutex_check_held(const struct mutex *mutex) {
    (void)mutex;
}
#endif

/* Initializes a static mutex. */
#ifdef WEIR_CHECK_LOCKS
#define MUTEX_INITIALIZER(its_rank)                                                                                \
    { .pthread = PTHREAD_MUTEX_INITIALIZER, .rank = (its_rank) }
#else
#define MUTEX_INITIALIZER(its_rank)                                                                                \
    { .pthread = PTHREAD_MUTEX_INITIALIZER }
#endif

static inline void mutex_init(struct mutex *mutex, unsigned rank) {
    pthread_mutex_init(&mutex->pthread, NULL);
#ifdef WEIR_CHECK_LOCKS
    mutex->rank = rank;
#else
    (void)rank;
#endif
}

static inline void mutex_destroy(struct mutex *mutex) {
    pthread_mutex_destroy(&mutex->pthread);
}

static inline void mutex_lock(struct mutex *mutex) {
    mutex_check_lock(mutex);
    pthread_mutex_lock(&mutex->pthread);
}

static inline void mutex_unlock(struct mutex *mutex) {
    mutex_check_unlock(mutex);
    pthread_mutex_unlock(&mutex->pthread);
}

/* Initializes a condition for mutex_wait_until(), which uses the monotonic clock. */
static inline void mutex_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Waiting releases the mutex and takes it again. The mutex keeps its place in the lock order. */
static inline void mutex_wait(pthread_cond_t *condition, struct mutex *mutex) {
    mutex_check_held(mutex);
    pthread_cond_wait(condition, &mutex->pthread);
}

/* Waits until `deadline`, in milliseconds of the monotonic clock. Returns false if the deadline has passed. */
static inline bool mutex_wait_until(pthread_cond_t *condition, struct mutex *mutex, uint64_t deadline) {
    mutex_check_held(mutex);
    const struct timespec until = {(time_t)(deadline / 1000), (long)(deadline % 1000) * 1000000};
    return pthread_cond_timedwait(condition, &mutex->pthread, &until) != ETIMEDOUT;
}

#endif
