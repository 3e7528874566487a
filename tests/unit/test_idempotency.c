/* test_idempotency.c - keys of requests: repeated requests, other requests with the same key, the end of five
 * minutes, too many keys, and concurrent requests.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/admin/idempotency.h"
#include "tests/unit/suites.h"

static struct idempotency_digest digest(const char *text) {
    return idempotency_digest(text, strlen(text), "", 0);
}

static enum idempotency_result begin(struct idempotency *table, const char *key, const char *request, uint64_t now,
                                     struct idempotency_answer *answer) {
    const struct idempotency_digest whose = digest(key), what = digest(request);
    return idempotency_begin(table, &whose, &what, now, answer);
}

static void finish(struct idempotency *table, const char *key, uint64_t offset) {
    const struct idempotency_digest whose = digest(key);
    const struct idempotency_answer answer = {.status = 201, .offset = offset, .subscribers = 3};
    idempotency_finish(table, &whose, offset == 0 ? NULL : &answer);
}

static void publish(struct idempotency *table, const char *key, uint64_t now, uint64_t offset) {
    struct idempotency_answer answer;
    ck_assert_int_eq(begin(table, key, "request", now, &answer), IDEMPOTENCY_FIRST);
    finish(table, key, offset);
}

START_TEST(idempotency_repeats_the_answer_of_the_same_request) {
    struct idempotency *table = idempotency_create(8);
    struct idempotency_answer answer = {0};
    publish(table, "a", 1000, 7);
    ck_assert_int_eq(begin(table, "a", "request", 2000, &answer), IDEMPOTENCY_REPEATED);
    ck_assert_int_eq(answer.status, 201);
    ck_assert_uint_eq(answer.offset, 7);
    ck_assert_uint_eq(answer.subscribers, 3);
    ck_assert_int_eq(begin(table, "a", "another", 2000, &answer), IDEMPOTENCY_OTHER);
    ck_assert_int_eq(begin(table, "a", "request", 2000, &answer), IDEMPOTENCY_REPEATED);
    ck_assert_int_eq(begin(table, "b", "request", 2000, &answer), IDEMPOTENCY_FIRST);
    idempotency_destroy(table);
}
END_TEST

START_TEST(idempotency_forgets_requests_without_result) {
    struct idempotency *table = idempotency_create(2);
    for (uint64_t round = 0; round < 10; round++) {
        publish(table, "a", 1000 + round, 0);
        publish(table, "b", 1000 + round, 0);
    }
    publish(table, "a", 2000, 7);
    struct idempotency_answer answer;
    ck_assert_int_eq(begin(table, "a", "request", 2000, &answer), IDEMPOTENCY_REPEATED);
    idempotency_destroy(table);
}
END_TEST

START_TEST(idempotency_forgets_keys_after_five_minutes) {
    struct idempotency *table = idempotency_create(8);
    struct idempotency_answer answer;
    publish(table, "a", 1000, 1);
    publish(table, "b", 1500, 2);
    ck_assert_int_eq(begin(table, "a", "request", 1000 + IDEMPOTENCY_MS - 1, &answer), IDEMPOTENCY_REPEATED);
    ck_assert_int_eq(begin(table, "a", "another", 1000 + IDEMPOTENCY_MS, &answer), IDEMPOTENCY_FIRST);
    ck_assert_int_eq(begin(table, "b", "request", 1000 + IDEMPOTENCY_MS, &answer), IDEMPOTENCY_REPEATED);
    ck_assert_int_eq(begin(table, "b", "request", 1500 + IDEMPOTENCY_MS, &answer), IDEMPOTENCY_FIRST);
    /* Two threads may have read the clock in the other order. */
    publish(table, "c", 5000, 3);
    ck_assert_int_eq(begin(table, "c", "request", 4999, &answer), IDEMPOTENCY_REPEATED);
    idempotency_destroy(table);
}
END_TEST

START_TEST(idempotency_drops_the_oldest_keys_first) {
    enum { CAPACITY = 100, KEYS = 1000 };
    struct idempotency *table = idempotency_create(CAPACITY);
    struct idempotency_answer answer;
    char key[16];
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "%u", i);
        publish(table, key, i, i + 1);
    }
    for (unsigned i = KEYS - CAPACITY; i < KEYS; i++) {
        snprintf(key, sizeof key, "%u", i);
        ck_assert_int_eq(begin(table, key, "request", KEYS, &answer), IDEMPOTENCY_REPEATED);
        ck_assert_uint_eq(answer.offset, i + 1);
    }
    snprintf(key, sizeof key, "%u", KEYS - CAPACITY - 1);
    ck_assert_int_eq(begin(table, key, "request", KEYS, &answer), IDEMPOTENCY_FIRST);
    idempotency_destroy(table);
}
END_TEST

START_TEST(idempotency_digest_depends_on_where_a_text_ends) {
    struct idempotency_digest first = idempotency_digest("ab", 2, "c", 1),
                              second = idempotency_digest("a", 1, "bc", 2);
    ck_assert_mem_ne(&first, &second, sizeof first);
}
END_TEST

/* Many threads use the same few keys: for each key one is the first, unless it gave up. */
enum { THREADS = 8, ROUNDS = 2000 };

struct race {
    struct idempotency *table;
    _Atomic uint64_t published[ROUNDS];
    _Atomic unsigned first[ROUNDS];
};

static void *run_race(void *argument) {
    struct race *race = argument;
    char key[16];
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct idempotency_answer answer;
        snprintf(key, sizeof key, "%u", i);
        if (begin(race->table, key, "request", 1000, &answer) == IDEMPOTENCY_FIRST) {
            unsigned attempt = ++race->first[i];
            bool gives_up = i % 3 == 0 && attempt == 1;
            if (!gives_up)
                race->published[i] = attempt;
            finish(race->table, key, gives_up ? 0 : attempt);
        } else {
            ck_assert_uint_eq(answer.offset, race->published[i]);
        }
    }
    return NULL;
}

START_TEST(idempotency_runs_a_request_once_among_threads) {
    static struct race race;
    pthread_t threads[THREADS];
    race.table = idempotency_create(2 * ROUNDS); /* also for those that gave up */
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_race, &race), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        ck_assert_uint_eq(race.first[i], i % 3 == 0 ? 2 : 1);
    idempotency_destroy(race.table);
}
END_TEST

Suite *idempotency_suite(void) {
    Suite *suite = suite_create("idempotency");
    TCase *tcase = tcase_create("idempotency");
    tcase_add_test(tcase, idempotency_repeats_the_answer_of_the_same_request);
    tcase_add_test(tcase, idempotency_forgets_requests_without_result);
    tcase_add_test(tcase, idempotency_forgets_keys_after_five_minutes);
    tcase_add_test(tcase, idempotency_drops_the_oldest_keys_first);
    tcase_add_test(tcase, idempotency_digest_depends_on_where_a_text_ends);
    tcase_add_test(tcase, idempotency_runs_a_request_once_among_threads);
    suite_add_tcase(suite, tcase);
    return suite;
}
