/* test_half_open.c - which unfinished requests are cut, by tables of their addresses, ages and numbers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "server/http/civetweb/half_open.h"
#include "tests/unit/suites.h"

enum { REQUESTS_MAX = 32, NOW = 100000, TIMEOUT = 5000, QUEUE = 16 };

/* A request is a letter, its address; upper case: one that stands for many clients. The first is the oldest, each
 * is a millisecond younger than the one before. A verdict: '.' stays, 'g' greedy, 's' among the oldest, 't' timed
 * out. */
struct round {
    const char *requests;
    size_t finished; /* other requests */
    unsigned per_address, threads;
    uint64_t age; /* of the first */
    const char *verdicts;
};

static const struct round rounds[] = {
    {"", 0, 8, 16, 1050, ""},
    {"", 100, 8, 16, 1050, ""},
    /* While there are enough threads each request has the whole timeout, however many come from one address. */
    {"aaaaaaaa", 0, 3, 8, TIMEOUT - 1, "........"},
    {"aAb", 0, 8, 16, TIMEOUT, "t.."},
    {"aAb", 0, 8, 16, TIMEOUT - 1, "..."},
    {"aAb", 0, 8, 16, TIMEOUT + 2, "ttt"},
    {"aAb", 9, 8, 2, TIMEOUT + 2, "ttt"},
    /* As many are cut as others wait, the oldest first; requests over their time count as well. */
    {"abc", 1, 8, 4, 1050, "..."},
    {"abc", 2, 8, 4, 1050, "s.."},
    {"abc", 3, 8, 4, 1050, "ss."},
    {"abc", 9, 8, 4, 1050, "sss"},
    {"abcd", 2, 8, 4, TIMEOUT + 1, "tt.."},
    {"abcd", 3, 8, 4, TIMEOUT + 1, "tts."},
    /* Requests over the limit of their address are cut first; an address that stands for many has no limit. */
    {"aaab", 1, 2, 4, 1050, "..g."},
    {"aaab", 2, 2, 4, 1050, "s.g."},
    {"aaab", 2, 0, 4, 1050, "ss.."},
    {"AAAb", 1, 2, 4, 1050, "s..."},
    {"abababab", 2, 3, 8, 1050, "......gg"},
    {"aaaa", 5, 1, 4, 1050, "sggg"},
    {"aaab", 2, 1, 4, TIMEOUT, "t.g."},
    /* How long each is left alone: nearly a second if one waits, 200 ms if half of the queue does. */
    {"abc", 2, 8, 4, 899, "..."},
    {"abc", 2, 8, 4, 900, "s.."},
    {"abcd", 4, 8, 4, 599, "...."},
    {"abcd", 4, 8, 4, 600, "s..."},
    {"abcd", 8, 8, 4, 199, "...."},
    {"abcd", 8, 8, 4, 202, "sss."},
    {"aaaa", 8, 1, 4, 202, "sgg."},
    {"abcd", 99, 8, 4, 199, "...."},
    /* One thread. */
    {"a", 0, 8, 1, 1050, "."},
    {"a", 1, 8, 1, 1050, "s"},
};

/* In the order in which the descriptors happen to lie: by age, or the other way round. */
static void run(const struct round *round, bool backwards) {
    static const char letters[] = {
        [HALF_OPEN_STAYS] = '.', [HALF_OPEN_TIMED_OUT] = 't', [HALF_OPEN_GREEDY] = 'g', [HALF_OPEN_OLDEST] = 's'};
    struct half_open requests[REQUESTS_MAX] = {0};
    size_t count = strlen(round->requests), expected = 0;
    for (size_t i = 0; i < count; i++) {
        struct half_open *request = &requests[backwards ? count - 1 - i : i];
        char letter = round->requests[i];
        request->fd = (int)i;
        request->address.bytes[15] = (uint8_t)letter;
        request->unlimited = letter < 'a';
        request->since_ms = NOW - round->age + i;
        expected += round->verdicts[i] != '.';
    }
    const struct half_open_limits limits = {round->per_address, TIMEOUT, round->threads, QUEUE};
    ck_assert_uint_eq(half_open_decide(requests, count, count + round->finished, &limits, NOW), expected);
    char verdicts[REQUESTS_MAX + 1] = "";
    for (size_t i = 0; i < count; i++)
        verdicts[requests[i].fd] = letters[requests[i].verdict];
    ck_assert_str_eq(verdicts, round->verdicts);
}

START_TEST(half_open_requests_are_cut_by_age_and_number) {
    run(&rounds[_i], false);
    run(&rounds[_i], true);
}
END_TEST

/* Whatever the number of waiting connections. */
START_TEST(half_open_silent_request_is_cut_after_one_second) {
    const struct half_open_limits limits = {8, TIMEOUT, 1, QUEUE};
    for (uint64_t age = HALF_OPEN_PATIENCE_MAX_MS - 1; age <= HALF_OPEN_PATIENCE_MAX_MS; age++) {
        struct half_open request = {.silent = true, .since_ms = NOW - age};
        ck_assert_uint_eq(half_open_decide(&request, 1, 99, &limits, NOW), age == HALF_OPEN_PATIENCE_MAX_MS);
    }
}
END_TEST

START_TEST(half_open_request_is_cut_with_a_queue_of_one) {
    const struct half_open_limits limits = {8, TIMEOUT, 1, 1};
    struct half_open request = {.since_ms = NOW - HALF_OPEN_PATIENCE_MIN_MS};
    ck_assert_uint_eq(half_open_decide(&request, 1, 2, &limits, NOW), 1);
}
END_TEST

Suite *half_open_suite(void) {
    Suite *suite = suite_create("half_open");
    TCase *decide = tcase_create("decide");
    tcase_add_loop_test(decide, half_open_requests_are_cut_by_age_and_number, 0,
                        (int)(sizeof rounds / sizeof *rounds));
    tcase_add_test(decide, half_open_silent_request_is_cut_after_one_second);
    tcase_add_test(decide, half_open_request_is_cut_with_a_queue_of_one);
    suite_add_tcase(suite, decide);
    return suite;
}
