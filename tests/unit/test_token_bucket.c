/* test_token_bucket.c - the token bucket: a second's worth at once, then as fast as it fills.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/token_bucket.h"
#include "tests/unit/suites.h"

#define SECOND UINT64_C(1000000)

/* How many of `amount` each may come at this moment. */
static unsigned take_all(struct token_bucket *bucket, uint64_t amount, uint64_t per_second, uint64_t now) {
    unsigned taken = 0;
    for (; token_bucket_wait(bucket, now) == 0; taken++)
        token_bucket_take(bucket, amount, per_second, now);
    return taken;
}

START_TEST(token_bucket_takes_one_second_at_once) {
    static const uint64_t rates[] = {1, 2, 3, 7, 10, 1000, 999999, 1000000};
    struct token_bucket bucket = {0};
    uint64_t per_second = rates[_i], now = 5 * SECOND;
    ck_assert_uint_eq(token_bucket_wait(&bucket, 0), 0);
    ck_assert_uint_eq(token_bucket_wait(&bucket, now), 0);
    unsigned taken = take_all(&bucket, 1, per_second, now);
    ck_assert_uint_ge(taken, per_second / 2); /* a fraction of a microsecond is rounded up, to the next one */
    ck_assert_uint_le(taken, per_second + 1);
    if (SECOND % per_second == 0)
        ck_assert_uint_eq(taken, per_second + 1);
}
END_TEST

START_TEST(token_bucket_waits_exactly_until_refilled) {
    struct token_bucket bucket = {0};
    uint64_t now = 3 * SECOND;
    ck_assert_uint_eq(take_all(&bucket, 1, 10, now), 11);
    ck_assert_uint_eq(token_bucket_wait(&bucket, now), SECOND / 10);
    ck_assert_uint_eq(token_bucket_wait(&bucket, now + SECOND / 10 - 1), 1);
    ck_assert_uint_eq(token_bucket_wait(&bucket, now + SECOND / 10), 0);
    token_bucket_take(&bucket, 1, 10, now + SECOND / 10);
    ck_assert_uint_eq(token_bucket_wait(&bucket, now + SECOND / 10), SECOND / 10);
    ck_assert_uint_eq(take_all(&bucket, 1, 10, now + 60 * SECOND), 11); /* nothing is saved up beyond a second */
}
END_TEST

/* A client that always sends as soon as it may gets the rate and no more, however large its pieces. */
START_TEST(token_bucket_never_exceeds_the_rate_in_the_long_run) {
    static const struct {
        uint64_t amount, per_second;
    } cases[] = {{1, 1}, {1, 7}, {1, 1000}, {65536, 1000}, {65536, 1 << 30}, {20, 100000}, {65536, 3}};
    uint64_t amount = cases[_i].amount, per_second = cases[_i].per_second;
    struct token_bucket bucket = {0};
    uint64_t now = 123456789, began = now, total = 0;
    for (int i = 0; i < 5000; i++) {
        now += token_bucket_wait(&bucket, now);
        ck_assert_uint_eq(token_bucket_wait(&bucket, now), 0);
        token_bucket_take(&bucket, amount, per_second, now);
        total += amount;
    }
    double seconds = (double)(now - began) / 1e6;
    ck_assert_double_le((double)total, (seconds + 1) * (double)per_second + (double)amount);
    ck_assert_double_ge((double)total * 1.1, seconds * (double)per_second);
}
END_TEST

START_TEST(token_bucket_never_delays_traffic_within_the_rate) {
    struct token_bucket bucket = {0};
    uint64_t now = SECOND;
    for (int i = 0; i < 10000; i++, now += SECOND / 50) {
        ck_assert_uint_eq(token_bucket_wait(&bucket, now), 0);
        token_bucket_take(&bucket, 1, 50, now);
    }
}
END_TEST

Suite *token_bucket_suite(void) {
    Suite *suite = suite_create("token_bucket");
    TCase *tcase = tcase_create("token_bucket");
    tcase_add_loop_test(tcase, token_bucket_takes_one_second_at_once, 0, 8);
    tcase_add_test(tcase, token_bucket_waits_exactly_until_refilled);
    tcase_add_loop_test(tcase, token_bucket_never_exceeds_the_rate_in_the_long_run, 0, 7);
    tcase_add_test(tcase, token_bucket_never_delays_traffic_within_the_rate);
    suite_add_tcase(suite, tcase);
    return suite;
}
