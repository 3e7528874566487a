/* test_small_mutex.c - a mutex keeps others out, and wakes those that sleep on it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "base/small_mutex.h"
#include "tests/unit/suites.h"

enum { THREADS = 4, ROUNDS = 20000 };

struct guarded {
    struct small_mutex mutex;
    long long first, second; /* the mutex: equal whenever it is free */
};

static void *count_under_mutex(void *arg) {
    struct guarded *guarded = arg;
    for (int i = 0; i < ROUNDS; i++) {
        small_mutex_lock(&guarded->mutex);
        bool equal = guarded->first == guarded->second;
        guarded->first++;
        if (i % 1000 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* so that others come to sleep on it */
        guarded->second++;
        small_mutex_unlock(&guarded->mutex);
        if (!equal)
            return guarded;
    }
    return NULL;
}

START_TEST(small_mutex_admits_one_thread_at_a_time) {
    struct guarded guarded = {0};
    small_mutex_init(&guarded.mutex, 1);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_under_mutex, &guarded), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        ck_assert_ptr_null(wrong);
    }
    ck_assert_int_eq(guarded.first, THREADS * ROUNDS);
    ck_assert_int_eq(guarded.second, THREADS * ROUNDS);
}
END_TEST

Suite *small_mutex_suite(void) {
    Suite *suite = suite_create("small_mutex");
    TCase *tcase = tcase_create("small_mutex");
    tcase_add_test(tcase, small_mutex_admits_one_thread_at_a_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
