/* test_bench_result.c - results of load tests: their sums, with seconds aligned; causes; the description of the
 * machine.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/result.h"
#include "tests/unit/suites.h"

static struct result *make_result(const char *url, int64_t began, size_t intervals) {
    struct result *result = calloc(1, sizeof *result);
    snprintf(result->scenario, sizeof result->scenario, "echo");
    result->url = strdup(url);
    result->clients = 10;
    result->threads = 2;
    result->processes = 1;
    result->window = 4;
    result->size_min = result->size_max = 20;
    result->began = began;
    result->interval_count = intervals;
    result->intervals = calloc(intervals + 1, sizeof *result->intervals);
    for (size_t i = 0; i < intervals; i++)
        result->intervals[i] =
            (struct interval){.counts = {.sent = 100, .received = 100, .connected = i == 0 ? 10 : 0},
                              .open = 10,
                              .p50 = 1000,
                              .p99 = 5000,
                              .maximum = 9000,
                              .measuring = i > 0};
    return result;
}

static void discard(struct result *result) {
    result_release(result);
    free(result);
}

START_TEST(result_add_copies_everything_into_an_empty_result) {
    struct result *total = calloc(1, sizeof *total), *one = make_result("ws://a/ ws://b/", 1000, 3);
    one->duration = 10;
    one->warmup = 2;
    one->text = true;
    one->compress = true;
    snprintf(one->host, sizeof one->host, "here");
    one->processors = 2;
    result_explain(one, "%s", "no luck");
    ck_assert(result_add(total, one));
    ck_assert_str_eq(total->scenario, "echo");
    ck_assert_str_eq(total->url, "ws://a/ ws://b/");
    ck_assert_ptr_ne(total->url, one->url);
    ck_assert_uint_eq(total->clients, 10);
    ck_assert_uint_eq(total->window, 4);
    ck_assert_uint_eq(total->size_min, 20);
    ck_assert(total->text && total->compress);
    ck_assert_double_eq(total->duration, 10);
    ck_assert_int_eq(total->began, 1000);
    ck_assert_uint_eq(total->interval_count, 3);
    ck_assert_mem_eq(total->intervals, one->intervals, 3 * sizeof *one->intervals);
    ck_assert_str_eq(total->host, "here");
    ck_assert_str_eq(total->first_error, "no luck");
    discard(total);
    discard(one);
}
END_TEST

START_TEST(result_add_adds_up_statistics) {
    struct result *one = make_result("ws://a/", 1000, 1), *other = make_result("ws://b/", 1000, 1);
    one->counts = (struct counts){1, 2, 3, 4, 5, 6, 7};
    other->counts = (struct counts){10, 20, 30, 40, 50, 60, 70};
    one->missing = 1, other->missing = 2;
    one->out_of_order = 3, other->out_of_order = 4;
    one->unexpected = 9, other->unexpected = 10;
    one->rooms = 2, other->rooms = 3;
    one->wrong = 5, other->wrong = 6;
    one->late = 7, other->late = 8;
    one->failures[WEIR_CLIENT_HTTP] = 1, other->failures[WEIR_CLIENT_HTTP] = 2;
    other->failures[WEIR_CLIENT_LOST] = 9;
    one->seconds = 9, other->seconds = 10;
    one->connect_seconds = 2, other->connect_seconds = 1;
    one->cpu_seconds = 1.5, other->cpu_seconds = 2;
    one->busiest = 0.5, other->busiest = 0.25;
    one->resident_bytes = 100, other->resident_bytes = 200;
    one->rate = 100, other->rate = 200;
    other->size_min = 10, other->size_max = 30;
    histogram_record(&one->latency, 100);
    histogram_record(&other->latency, 50);
    histogram_record(&other->handshake, 7);
    ck_assert(result_add(one, other));
    const struct counts sum = {11, 22, 33, 44, 55, 66, 77};
    ck_assert_mem_eq(&one->counts, &sum, sizeof sum);
    ck_assert_uint_eq(one->missing, 3);
    ck_assert_uint_eq(one->out_of_order, 7);
    ck_assert_uint_eq(one->unexpected, 19);
    ck_assert_uint_eq(one->rooms, 5);
    ck_assert_uint_eq(one->wrong, 11);
    ck_assert_uint_eq(one->late, 15);
    ck_assert_uint_eq(one->failures[WEIR_CLIENT_HTTP], 3);
    ck_assert_uint_eq(one->failures[WEIR_CLIENT_LOST], 9);
    ck_assert_double_eq(one->seconds, 10);
    ck_assert_double_eq(one->connect_seconds, 2);
    ck_assert_double_eq(one->cpu_seconds, 3.5);
    ck_assert_double_eq(one->busiest, 0.5);
    ck_assert_uint_eq(one->resident_bytes, 300);
    ck_assert_double_eq(one->rate, 300);
    ck_assert_uint_eq(one->clients, 20);
    ck_assert_uint_eq(one->threads, 4);
    ck_assert_uint_eq(one->processes, 2);
    ck_assert_uint_eq(one->window, 4);
    ck_assert_uint_eq(one->size_min, 10);
    ck_assert_uint_eq(one->size_max, 30);
    ck_assert_uint_eq(one->latency.count, 2);
    ck_assert_uint_eq(one->latency.minimum, 50);
    ck_assert_uint_eq(one->handshake.count, 1);
    ck_assert_str_eq(one->url, "ws://a/ ws://b/");
    discard(one);
    discard(other);
}
END_TEST

/* Which result begins first, and how long both overlap. */
static const struct {
    int64_t began, other_began;
    size_t count, other_count, first, other_first, total;
} alignments[] = {
    {1000, 1000, 4, 4, 0, 0, 4}, {1000, 1002, 4, 4, 0, 2, 6}, {1002, 1000, 4, 4, 2, 0, 6},
    {1000, 1001, 6, 2, 0, 1, 6}, {1001, 1000, 2, 6, 1, 0, 6}, {1000, 1005, 2, 2, 0, 5, 7},
    {1000, 1003, 0, 4, 3, 0, 4}, {1000, 1003, 4, 0, 0, 4, 4},
};

START_TEST(result_add_aligns_seconds) {
    const size_t count = alignments[_i].count, other_count = alignments[_i].other_count;
    struct result *one = make_result("ws://a/", alignments[_i].began, count);
    struct result *other = make_result("ws://a/", alignments[_i].other_began, other_count);
    ck_assert(result_add(one, other));
    ck_assert_uint_eq(one->interval_count, alignments[_i].total);
    for (size_t i = 0; i < one->interval_count; i++) {
        size_t first = alignments[_i].first, other_first = alignments[_i].other_first;
        bool here = i >= first && i < first + count, there = i >= other_first && i < other_first + other_count;
        const struct interval *interval = &one->intervals[i];
        ck_assert_uint_eq(interval->counts.received, 100u * ((unsigned)here + (unsigned)there));
        ck_assert_uint_eq(interval->open, 10u * ((unsigned)here + (unsigned)there));
        ck_assert_uint_eq(interval->p50, here || there ? 1000 : 0);
        bool unmeasured = (here && i == first) || (there && i == other_first);
        ck_assert(interval->measuring == ((here || there) && !unmeasured));
    }
    ck_assert_str_eq(one->url, "ws://a/");
    discard(one);
    discard(other);
}
END_TEST

START_TEST(result_add_weights_percentiles_of_a_second) {
    struct result *one = make_result("ws://a/", 1000, 3), *other = make_result("ws://a/", 1000, 3);
    other->intervals[0].counts.received = 300;
    other->intervals[0].p50 = 2000, other->intervals[0].p99 = 3000, other->intervals[0].maximum = 20000;
    other->intervals[1] = (struct interval){.measuring = true}; /* nothing came */
    one->intervals[2] = other->intervals[2] = (struct interval){.open = 1};
    ck_assert(result_add(one, other));
    ck_assert_uint_eq(one->intervals[0].p50, 1750);
    ck_assert_uint_eq(one->intervals[0].p99, 5000);
    ck_assert_uint_eq(one->intervals[0].maximum, 20000);
    ck_assert_uint_eq(one->intervals[1].p50, 1000);
    ck_assert_uint_eq(one->intervals[2].p50, 0);
    ck_assert_uint_eq(one->intervals[2].open, 2);
    discard(one);
    discard(other);
}
END_TEST

START_TEST(result_add_counts_each_machine_once) {
    struct result *total = calloc(1, sizeof *total);
    static const char *const names[] = {"alpha", "alpha", "beta", "alp"};
    for (int i = 0; i < 4; i++) {
        struct result *one = make_result("ws://a/", 1000, 1);
        snprintf(one->host, sizeof one->host, "%s", names[i]);
        snprintf(one->processor, sizeof one->processor, "a chip");
        one->processors = 2;
        one->memory_bytes = 1000;
        ck_assert(result_add(total, one));
        discard(one);
    }
    ck_assert_str_eq(total->host, "alpha, beta, alp");
    ck_assert_str_eq(total->processor, "a chip");
    ck_assert_uint_eq(total->processors, 6);
    ck_assert_uint_eq(total->memory_bytes, 3000);
    ck_assert_uint_eq(total->processes, 4);
    discard(total);

    total = calloc(1, sizeof *total);
    struct result *long_name = make_result("ws://a/", 1000, 1);
    memset(long_name->host, 'h', sizeof long_name->host - 1);
    ck_assert(result_add(total, long_name));
    ck_assert_str_eq(total->host, long_name->host);
    discard(total);
    discard(long_name);
}
END_TEST

START_TEST(result_explain_keeps_the_first_error) {
    struct result *one = calloc(1, sizeof *one);
    result_explain(one, "%0300d", 1);
    ck_assert_uint_eq(strlen(one->first_error), sizeof one->first_error - 1);
    result_explain(one, "another");
    ck_assert_int_eq(one->first_error[0], '0');
    discard(one);
}
END_TEST

START_TEST(each_failure_cause_has_a_distinct_name) {
    for (unsigned i = 0; i < WEIR_CLIENT_CAUSES; i++) {
        ck_assert_str_ne(result_cause_name(i), "other");
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(result_cause_name(i), result_cause_name(j));
    }
    ck_assert_str_eq(result_cause_name(WEIR_CLIENT_CAUSES), "other");
}
END_TEST

START_TEST(result_describes_the_machine) {
    struct result *one = calloc(1, sizeof *one);
    result_describe_host(one);
    ck_assert_str_ne(one->host, "");
    ck_assert_ptr_nonnull(strstr(one->system, "Linux"));
    ck_assert_str_ne(one->processor, "");
    ck_assert_uint_ge(one->processors, 1);
    ck_assert_uint_gt(one->memory_bytes, 1000000);
    ck_assert(!result_tester_was_limit(one));
    one->busiest = 0.96;
    ck_assert(result_tester_was_limit(one));
    discard(one);
}
END_TEST

Suite *bench_result_suite(void) {
    Suite *suite = suite_create("bench_result");
    TCase *tcase = tcase_create("bench_result");
    tcase_add_test(tcase, result_add_copies_everything_into_an_empty_result);
    tcase_add_test(tcase, result_add_adds_up_statistics);
    tcase_add_loop_test(tcase, result_add_aligns_seconds, 0, sizeof alignments / sizeof *alignments);
    tcase_add_test(tcase, result_add_weights_percentiles_of_a_second);
    tcase_add_test(tcase, result_add_counts_each_machine_once);
    tcase_add_test(tcase, result_explain_keeps_the_first_error);
    tcase_add_test(tcase, each_failure_cause_has_a_distinct_name);
    tcase_add_test(tcase, result_describes_the_machine);
    suite_add_tcase(suite, tcase);
    return suite;
}
