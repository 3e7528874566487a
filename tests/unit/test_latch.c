/* test_latch.c - a latch keeps others out, and wakes those that sleep on it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "base/latch.h"
#include "tests/unit/suites.h"

enum { THREADS = 4, ROUNDS = 20000 };

struct guarded {
    struct latch latch;
    long long first, second; /* the latch: equal whenever it is free */
};

static void *count_under_latch(void *arg) {
    struct guarded *guarded = arg;
    for (int i = 0; i < ROUNDS; i++) {
        latch_lock(&guarded->latch);
        bool equal = guarded->first == guarded->second;
        guarded->first++;
        if (i % 1000 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* so that others come to sleep on it */
        guarded->second++;
        latch_unlock(&guarded->latch);
        if (!equal)
            return guarded;
    }
    return NULL;
}

START_TEST(small_mutex_admits_one_thread_at_a_time) {
    struct guarded guarded = {0};
    latch_init(&guarded.latch, 1);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_under_latch, &guarded), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        ck_assert_ptr_null(wrong);
    }
    ck_assert_int_eq(guarded.first, THREADS * ROUNDS);
    ck_assert_int_eq(guarded.second, THREADS * ROUNDS);
}
END_TEST

Suite *latch_suite(void) {
    Suite *suite = suite_create("latch");
    TCase *tcase = tcase_create("latch");
    tcase_add_test(tcase, small_mutex_admits_one_thread_at_a_time);
    suite_add_tcase(suite, tcase);
    return suite;
}
