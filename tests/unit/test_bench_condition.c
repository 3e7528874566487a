/* test_bench_condition.c - --fail-if: valid and invalid conditions, their errors, and when a condition is crossed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/condition.h"
#include "commands/bench/result.h"
#include "tests/unit/suites.h"

/* 100 messages of 1 to 100 us, which the histogram tells apart, 200 a second; one handshake of 2 ms. */
static struct result *make_result(void) {
    struct result *result = calloc(1, sizeof *result);
    for (uint64_t i = 1; i <= 100; i++)
        histogram_record(&result->latency, i * 1000);
    histogram_record(&result->handshake, 2000000);
    result->counts = (struct counts){.sent = 120, .received = 100, .connected = 7, .failed = 1, .dropped = 2};
    result->missing = 3;
    result->wrong = 4;
    result->out_of_order = 5;
    result->unexpected = 7;
    result->late = 6;
    result->seconds = 0.5;
    result->busiest = 0.75;
    return result;
}

static const struct {
    const char *text;
    double limit, value; /* value: what the result above has, within 0.5 % */
    bool crossed;
} good[] = {
    {"rate<200", 200, 200, false},
    {"rate<=200", 200, 200, true},
    {"rate>=200", 200, 200, true},
    {"rate>200", 200, 200, false},
    {"rate<200.5", 200.5, 200, true},
    {"sent-rate>239", 239, 240, true},
    {"p50>40us", 40e-6, 50e-6, true},
    {"p50>1ms", 1e-3, 50e-6, false},
    {"p90<1s", 1, 90e-6, true},
    {"p99>50ms", 50e-3, 99e-6, false},
    {"p99.9>=99000ns", 99e-6, 100e-6, true},
    {"max<=100us", 100e-6, 100e-6, true},
    {"max<100us", 100e-6, 100e-6, false},
    {"mean>50.4us", 50.4e-6, 50.5e-6, true},
    {" p99 \t>=  50 ms ", 50e-3, 99e-6, false},
    {"handshake-p50>1ms", 1e-3, 2e-3, true},
    {"handshake-p90>1ms", 1e-3, 2e-3, true},
    {"handshake-p99>=1s", 1, 2e-3, false},
    {"handshake-p99.9>1s", 1, 2e-3, false},
    {"handshake-mean<1s", 1, 2e-3, true},
    {"handshake-max<=2ms", 2e-3, 2e-3, true},
    {"connected<1000", 1000, 7, true},
    {"failed>0", 0, 1, true},
    {"dropped>2", 2, 2, false},
    {"missing>=3", 3, 3, true},
    {"wrong<4", 4, 4, false},
    {"out-of-order<=5", 5, 5, true},
    {"unexpected>6", 6, 7, true},
    {"late>5", 5, 6, true},
    {"cpu>70%", 0.7, 0.75, true},
    {"cpu>=75 %", 0.75, 0.75, true},
    {"cpu>0.95", 0.95, 0.75, false},
};

START_TEST(condition_parses_and_compares_with_results) {
    struct result *result = make_result();
    struct condition condition;
    char error[512] = "";
    double value;
    ck_assert_msg(condition_parse(good[_i].text, &condition, error, sizeof error), "%s", error);
    ck_assert_ptr_eq(condition.text, good[_i].text);
    ck_assert_double_eq_tol(condition.limit, good[_i].limit, good[_i].limit * 1e-12 + 1e-15);
    bool crossed = condition_crossed(&condition, result, &value);
    ck_assert_double_eq_tol(value, good[_i].value, good[_i].value * 0.005 + 1e-15);
    ck_assert_msg(crossed == good[_i].crossed, "%s of %g", good[_i].text, value);
    free(result);
}
END_TEST

static const struct {
    const char *text, *error; /* a part of it */
} bad[] = {
    {"", "no figure \"\"; there are rate, sent-rate, p50"},
    {"p98>1ms", "no figure \"p98\"; there are"},
    {"P99>1ms", "no figure \"P99\""},
    {"p99", "after \"p99\" one of < <= > >= has to come"},
    {"p99=1ms", "after \"p99\" one of"},
    {"p99>", "\"p99\" is compared with a duration with its unit, like 50ms (us, ms, s)"},
    {"p99>50", "is compared with a duration"},
    {"p99>50m", "is compared with a duration"},
    {"p99>50 ms x", "is compared with a duration"},
    {"p99>-1ms", "is compared with a duration"},
    {"p99>+1ms", "is compared with a duration"},
    {"p99>1e3ms", "is compared with a duration"},
    {"p99>0x1ms", "is compared with a duration"},
    {"p99>infs", "is compared with a duration"},
    {"p99>.5s", "is compared with a duration"},
    {"p99>5.s", "is compared with a duration"},
    {"p99>>1ms", "is compared with a duration"},
    {"p99=>1ms", "one of"},
    {"p99> =1ms", "is compared with a duration"},
    {"missing>0ms", "\"missing\" is compared with a number, like 1000"},
    {"rate<10k", "is compared with a number"},
    {"rate<10,000", "is compared with a number"},
    {"rate<", "is compared with a number"},
    {"cpu>95ms", "\"cpu\" is compared with a share, like 95% or 0.95"},
    {"failed>0%", "is compared with a number"},
};

START_TEST(condition_reports_why_text_is_invalid) {
    struct condition condition;
    char error[512] = "";
    ck_assert_msg(!condition_parse(bad[_i].text, &condition, error, sizeof error), "%s", bad[_i].text);
    ck_assert_msg(strstr(error, bad[_i].error) != NULL, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));
    char little[8];
    ck_assert(!condition_parse(bad[_i].text, &condition, little, sizeof little));
    ck_assert_uint_lt(strlen(little), sizeof little);
}
END_TEST

START_TEST(condition_without_measurement_is_crossed) {
    static const char *const texts[] = {"p99>1s",  "p99<1s",           "max>=1s",         "mean<1s",
                                        "p50>0us", "handshake-p99>1s", "handshake-max<1s"};
    struct result *result = calloc(1, sizeof *result);
    for (int i = 0; i < COUNT(texts); i++) {
        struct condition condition;
        char error[512];
        double value;
        ck_assert(condition_parse(texts[i], &condition, error, sizeof error));
        ck_assert(condition_is_duration(&condition));
        ck_assert_msg(condition_crossed(&condition, result, &value), "%s", texts[i]);
        ck_assert(isnan(value));
    }
    struct condition rate;
    char error[512];
    double value;
    ck_assert(condition_parse("rate<1", &rate, error, sizeof error));
    ck_assert(!condition_is_duration(&rate));
    ck_assert(condition_crossed(&rate, result, &value));
    ck_assert_double_eq(value, 0);
    free(result);
}
END_TEST

START_TEST(condition_list_has_every_name) {
    char text[4096];
    condition_list(text, sizeof text);
    for (int i = 0; i < COUNT(good); i++) {
        char name[32] = "";
        strncat(name, good[i].text + strspn(good[i].text, " "),
                strcspn(good[i].text + strspn(good[i].text, " "), "<> "));
        ck_assert_msg(strstr(text, name) != NULL, "%s", name);
    }
    char little[20];
    condition_list(little, sizeof little);
    ck_assert_uint_lt(strlen(little), sizeof little);
}
END_TEST

Suite *bench_condition_suite(void) {
    Suite *suite = suite_create("bench_condition");
    TCase *tcase = tcase_create("bench_condition");
    tcase_add_loop_test(tcase, condition_parses_and_compares_with_results, 0, COUNT(good));
    tcase_add_loop_test(tcase, condition_reports_why_text_is_invalid, 0, COUNT(bad));
    tcase_add_test(tcase, condition_without_measurement_is_crossed);
    tcase_add_test(tcase, condition_list_has_every_name);
    suite_add_tcase(suite, tcase);
    return suite;
}
