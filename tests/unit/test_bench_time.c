/* test_bench_time.c - the load tester's time: when messages are due, how durations are counted, how the threads'
 * seconds are put together.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <stdlib.h>

#include "commands/bench/histogram.h"
#include "commands/bench/load/schedule.h"
#include "commands/bench/seconds.h"
#include "tests/unit/suites.h"

/* --- Schedules --------------------------------------------------------------------------------------------- */

START_TEST(schedule_spaces_messages_evenly) {
    static const double rates[] = {0.5, 1, 3, 7, 1000, 123456.789, 1e9};
    const uint64_t begin = UINT64_C(1) << 50;
    struct schedule schedule = schedule_start(begin, rates[_i]);
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t next = schedule_next(&schedule), time;
        double exact = (double)i * 1e9 / rates[_i];
        ck_assert_double_le(fabs((double)(next - begin) - exact), 1);
        ck_assert(next == 0 || !schedule_take(&schedule, next - 1, &time));
        ck_assert(schedule_take(&schedule, next, &time));
        ck_assert_uint_eq(time, next);
    }
}
END_TEST

START_TEST(schedule_keeps_the_due_time_of_overdue_messages) {
    struct schedule schedule = schedule_start(1000, 1e6); /* one each microsecond */
    uint64_t time;
    for (uint64_t i = 0; i < 5; i++) {
        ck_assert(schedule_take(&schedule, 5999, &time));
        ck_assert_uint_eq(time, 1000 + 1000 * i);
    }
    ck_assert(!schedule_take(&schedule, 5999, &time));
}
END_TEST

/* --- Histograms -------------------------------------------------------------------------------------------- */

START_TEST(histogram_percentiles_are_within_0_4_percent) {
    struct histogram *histogram = calloc(1, sizeof *histogram);
    ck_assert_uint_eq(histogram_percentile(histogram, 50), 0);
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_record(histogram, i * 1000);
    static const double percents[] = {0.001, 1, 50, 90, 99, 99.9, 100};
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        double exact = percents[i] * 1e6, found = (double)histogram_percentile(histogram, percents[i]);
        ck_assert_double_le(fabs(found - exact), exact * 0.004);
    }
    ck_assert_uint_eq(histogram->minimum, 1000);
    ck_assert_uint_eq(histogram->maximum, 100000000);
    ck_assert_double_eq_tol(histogram_mean(histogram), 50000500, 1);
    free(histogram);
}
END_TEST

START_TEST(histogram_buckets_are_contiguous) {
    struct histogram *histogram = calloc(1, sizeof *histogram);
    for (size_t bucket = 0; bucket < HISTOGRAM_SIZE; bucket++) {
        ck_assert(bucket == 0 || histogram_bucket_low(bucket) > histogram_bucket_low(bucket - 1));
        histogram_record(histogram, histogram_bucket_low(bucket));
        ck_assert_uint_eq(histogram->buckets[bucket], 1);
    }
    histogram_record(histogram, UINT64_MAX);
    ck_assert_uint_eq(histogram->buckets[HISTOGRAM_SIZE - 1], 2);
    free(histogram);
}
END_TEST

START_TEST(histogram_add_equals_recording_together) {
    struct histogram *both = calloc(3, sizeof *both), *one = both + 1, *other = both + 2;
    for (uint64_t i = 5; i < 50000; i++) {
        histogram_record(i % 3 == 0 ? one : other, i * i);
    }
    histogram_add(both, one);
    histogram_add(both, other);
    ck_assert_uint_eq(both->count, 49995);
    ck_assert_uint_eq(both->minimum, 25);
    ck_assert_uint_eq(both->maximum, UINT64_C(49999) * 49999);
    ck_assert_double_eq_tol(both->sum, one->sum + other->sum, 1);
    free(both);
}
END_TEST

/* --- Seconds ----------------------------------------------------------------------------------------------- */

static struct second *second_of(uint64_t messages) {
    static struct second second;
    second = (struct second){.counts.received = messages, .open = 1};
    return &second;
}

START_TEST(second_is_complete_when_all_threads_have_delivered_it) {
    struct seconds *seconds = seconds_create(2);
    struct second *taken = malloc(sizeof *taken);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TIMEOUT);
    seconds_deliver(seconds, 0, 0, second_of(1), 1);
    seconds_deliver(seconds, 0, 1, second_of(10), 2);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TIMEOUT);
    seconds_deliver(seconds, 1, 0, second_of(100), 3); /* it slept during seconds 1 and 2 */
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TAKEN);
    ck_assert_uint_eq(taken->counts.received, 101);
    ck_assert_uint_eq(taken->open, 2);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TAKEN);
    ck_assert_uint_eq(taken->counts.received, 10);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TIMEOUT);
    seconds_deliver(seconds, 1, 3, second_of(7), SECONDS_LAST);
    seconds_deliver(seconds, 0, 3, second_of(8), SECONDS_LAST);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TAKEN); /* no thread has a second 2 */
    ck_assert_uint_eq(taken->counts.received, 0);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_TAKEN);
    ck_assert_uint_eq(taken->counts.received, 15);
    ck_assert_int_eq(seconds_take(seconds, 0, taken), SECONDS_END);
    free(taken);
    seconds_destroy(seconds);
}
END_TEST

Suite *bench_time_suite(void) {
    Suite *suite = suite_create("bench_time");
    TCase *tcase = tcase_create("bench_time");
    tcase_add_loop_test(tcase, schedule_spaces_messages_evenly, 0, 7);
    tcase_add_test(tcase, schedule_keeps_the_due_time_of_overdue_messages);
    tcase_add_test(tcase, histogram_percentiles_are_within_0_4_percent);
    tcase_add_test(tcase, histogram_buckets_are_contiguous);
    tcase_add_test(tcase, histogram_add_equals_recording_together);
    tcase_add_test(tcase, second_is_complete_when_all_threads_have_delivered_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
