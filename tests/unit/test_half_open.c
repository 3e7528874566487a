/* test_half_open.c - which unfinished requests have to go: the addresses, ages and numbers of them as tables.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "server/http/half_open.h"
#include "tests/unit/suites.h"

enum { REQUESTS_MAX = 32, NOW = 100000, TIMEOUT = 5000 };

/* A request is a letter, its address; upper case: one that stands for many clients. The first is the oldest, each
 * is a millisecond younger than the one before. A verdict: '.' stays, 'g' greedy, 's' shed, 't' timed out. */
struct round {
    const char *requests;
    size_t finished; /* other requests */
    unsigned per_address, threads;
    uint64_t age; /* of the first */
    const char *verdicts;
};

static const struct round rounds[] = {
    {"", 0, 8, 16, 50, ""},
    {"", 100, 8, 16, 50, ""},
    {"aaa", 0, 3, 16, 50, "..."},
    {"aaaa", 0, 3, 16, 50, "...g"},
    {"abababab", 0, 3, 16, 50, "......gg"},
    {"aabbcc", 0, 1, 16, 50, ".g.g.g"},
    {"aaaa", 0, 0, 16, 50, "...."},
    {"AAAAbbbb", 0, 3, 16, 50, ".......g"},
    /* The timeout is for everybody, and whoever is beyond the limit of an address does not count twice. */
    {"aAb", 0, 8, 16, TIMEOUT, "t.."},
    {"aAb", 0, 8, 16, TIMEOUT - 1, "..."},
    {"aAb", 0, 8, 16, TIMEOUT + 2, "ttt"},
    {"aaab", 0, 2, 16, TIMEOUT + 100, "ttgt"},
    /* Three quarters of four threads are three. Nobody waits while there are threads enough. */
    {"abc", 1, 8, 4, 50, "..."},
    {"abc", 2, 8, 4, 50, "s.."},
    {"ab", 9, 8, 4, 50, ".."},
    {"abcdefgh", 0, 8, 4, 50, "ssssss.."},
    {"aaaabbbb", 0, 2, 4, 50, "..gg..gg"},
    {"aaaabbbb", 1, 2, 4, 50, "ssgg..gg"},
    {"AAAA", 1, 2, 4, 50, "ss.."},
    {"abcd", 4, 8, 4, TIMEOUT + 1, "tt.."},
    /* One thread, or two. */
    {"a", 0, 8, 1, 50, "."},
    {"a", 1, 8, 1, 50, "s"},
    {"ab", 0, 8, 2, 50, ".."},
    {"ab", 1, 8, 2, 50, "s."},
};

/* In the order in which the descriptors happen to lie: by age, or the other way round. */
static void run(const struct round *round, bool backwards) {
    static const char letters[] = {
        [HALF_OPEN_STAYS] = '.', [HALF_OPEN_TIMED_OUT] = 't', [HALF_OPEN_GREEDY] = 'g', [HALF_OPEN_SHED] = 's'};
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
    const struct half_open_limits limits = {round->per_address, TIMEOUT, round->threads};
    ck_assert_uint_eq(half_open_judge(requests, count, count + round->finished, &limits, NOW), expected);
    char verdicts[REQUESTS_MAX + 1] = "";
    for (size_t i = 0; i < count; i++)
        verdicts[requests[i].fd] = letters[requests[i].verdict];
    ck_assert_str_eq(verdicts, round->verdicts);
}

START_TEST(verdicts) {
    run(&rounds[_i], false);
    run(&rounds[_i], true);
}
END_TEST

START_TEST(three_quarters) {
    static const unsigned many[] = {[1] = 1, [2] = 2, [3] = 3, [4] = 3, [5] = 4, [8] = 6, [16] = 12};
    for (unsigned threads = 1; threads < sizeof many / sizeof *many; threads++)
        if (many[threads] != 0)
            ck_assert_uint_eq(half_open_many(&(struct half_open_limits){.threads = threads}), many[threads]);
}
END_TEST

Suite *half_open_suite(void) {
    Suite *suite = suite_create("half_open");
    TCase *judge = tcase_create("judge");
    tcase_add_loop_test(judge, verdicts, 0, (int)(sizeof rounds / sizeof *rounds));
    tcase_add_test(judge, three_quarters);
    suite_add_tcase(suite, judge);
    return suite;
}
