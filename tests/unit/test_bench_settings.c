/* test_bench_settings.c - the command line of `weir bench`: values, defaults. Conflicting options are tested with
 * the command itself (tests/real/test_bench.py).
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "commands/bench/load/target.h"
#include "commands/bench/settings.h"
#include "commands/bench/settings_value.h"
#include "tests/unit/suites.h"

#define URL "ws://127.0.0.1:9/"

enum { ARGUMENTS_MAX = 32 };

/* Parses blank-separated arguments. */
static struct settings parse(char *text) {
    static char *argv[ARGUMENTS_MAX + 1]; /* the settings point into it */
    int argc = 1;
    argv[0] = "weir bench";
    memset(argv + 1, 0, sizeof argv - sizeof *argv);
    for (char *word; (word = strsep(&text, " ")) != NULL;)
        argv[argc++] = word;
    struct settings settings;
    ck_assert_int_eq(settings_parse(&settings, argc, argv), -1);
    return settings;
}

START_TEST(bench_options_have_defaults) {
    char text[] = URL;
    struct settings settings = parse(text);
    ck_assert_int_eq(settings.scenario, SCENARIO_ECHO);
    ck_assert_uint_eq(settings.clients, 1);
    ck_assert_uint_eq(settings.window, 1);
    ck_assert_uint_eq(settings.publishers, 0);
    ck_assert_uint_eq(settings.rooms, 0);
    ck_assert_uint_eq(settings.threads, 1);
    ck_assert_uint_eq(settings.size_min, 20);
    ck_assert_uint_eq(settings.size_max, 20);
    ck_assert_double_eq(settings.duration, 10);
    ck_assert_double_eq(settings.warmup, 1);
    ck_assert_double_eq(settings.timeout, 10);
    ck_assert(settings.text && !settings.compress && !settings.quiet && !settings_open_loop(&settings));
    settings_release(&settings);
}
END_TEST

START_TEST(bench_accepts_options_and_urls_in_any_order) {
    char text[] = "--scenario broadcast " URL "a --clients 50 --size 100-200 --rate 12.5 --threads 8 --header A:b "
                  "--binary --header C:d " URL "b";
    struct settings settings = parse(text);
    ck_assert_int_eq(settings.scenario, SCENARIO_BROADCAST);
    ck_assert_uint_eq(settings.url_count, 2);
    ck_assert_str_eq(settings.urls[0], URL "a");
    ck_assert_str_eq(settings.urls[1], URL "b");
    ck_assert_uint_eq(settings.publishers, 1);
    ck_assert_uint_eq(settings.rooms, 1);
    ck_assert_uint_eq(settings.window, 0);
    ck_assert_uint_eq(settings.size_min, 100);
    ck_assert_uint_eq(settings.size_max, 200);
    ck_assert_double_eq(settings.rate, 12.5);
    ck_assert(!settings.text && settings_open_loop(&settings));
    ck_assert_str_eq(settings.headers[0], "A:b");
    ck_assert_str_eq(settings.headers[1], "C:d");
    ck_assert_ptr_null(settings.headers[2]);
    settings_release(&settings);
}
END_TEST

START_TEST(bench_gives_every_room_its_publishers) {
    char text[] = "--scenario broadcast --clients 11 --rooms 3 --publishers 2 " URL "{room}";
    struct settings settings = parse(text);
    unsigned senders[3] = {0};
    ck_assert_uint_eq(settings_senders(&settings), 6);
    for (uint32_t client = 0; client < settings_senders(&settings); client++)
        senders[settings_room(&settings, client)]++;
    for (unsigned room = 0; room < settings.rooms; room++)
        ck_assert_uint_eq(senders[room], settings.publishers);
    settings_release(&settings);
}
END_TEST

START_TEST(bench_replaces_room_in_urls_only) {
    char text[] = "--scenario broadcast --clients 1000000 --rooms 1000000 --header A:{room} " URL
                  "{room}/{room}?a={room}b " URL "{roo{room}m}";
    struct settings settings = parse(text);
    struct weir_client_error error;
    struct target *targets = targets_create(&settings, &error);
    char line[TARGET_LINE_MAX];
    ck_assert_ptr_nonnull(targets);
    ck_assert_uint_eq(target_line(&targets[0], 999999, line), strlen("GET /999999/999999?a=999999b HTTP/1.1"));
    ck_assert_mem_eq(line, "GET /999999/999999?a=999999b HTTP/1.1",
                     strlen("GET /999999/999999?a=999999b HTTP/1.1"));
    ck_assert_uint_eq(target_line(&targets[1], 0, line), strlen("GET /{roo0m} HTTP/1.1"));
    ck_assert_mem_eq(line, "GET /{roo0m} HTTP/1.1", strlen("GET /{roo0m} HTTP/1.1"));
    ck_assert_ptr_nonnull(strstr(targets[0].request + targets[0].line_size, "A:{room}\r\n"));
    targets_release(targets, settings.url_count);
    settings_release(&settings);
}
END_TEST

START_TEST(bench_uses_no_more_threads_than_clients) {
    char text[] = "--threads 8 --clients 3 " URL;
    struct settings settings = parse(text);
    ck_assert_uint_eq(settings.threads, 3);
    settings_release(&settings);
}
END_TEST

START_TEST(bench_parses_durations) {
    static const struct {
        const char *text;
        double seconds; /* negative: wrong */
    } cases[] = {{"10", 10},    {"10s", 10}, {"500ms", 0.5}, {"1m", 60},     {"2h", 7200}, {"0.5", 0.5},
                 {"1.5s", 1.5}, {"0", 0},    {"", -1},       {"s", -1},      {"-1", -1},   {"1 s", -1},
                 {"1e3", -1},   {"inf", -1}, {"1d", -1},     {"999999h", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds;
        const char *wrong = settings_value_duration(cases[i].text, &seconds);
        ck_assert_msg((wrong != NULL) == (cases[i].seconds < 0), "%s", cases[i].text);
        if (wrong == NULL)
            ck_assert_double_eq_tol(seconds, cases[i].seconds, 1e-9);
    }
}
END_TEST

START_TEST(bench_parses_size_ranges) {
    static const struct {
        const char *text;
        size_t least, most; /* least above most: wrong */
    } cases[] = {{"20", 20, 20},
                 {"0", 0, 0},
                 {"0-5", 0, 5},
                 {"100-2000", 100, 2000},
                 {"1KiB-64KiB", 1024, 65536},
                 {"1MiB", 1 << 20, 1 << 20},
                 {"-5", 1, 0},
                 {"5-", 1, 0},
                 {"9-8", 1, 0},
                 {"1-2-3", 1, 0},
                 {"2GiB", 1, 0},
                 {"1.5", 1, 0},
                 {"1KB", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t least, most;
        const char *wrong = settings_value_range(cases[i].text, &least, &most);
        ck_assert_msg((wrong != NULL) == (cases[i].least > cases[i].most), "%s", cases[i].text);
        if (wrong == NULL) {
            ck_assert_uint_eq(least, cases[i].least);
            ck_assert_uint_eq(most, cases[i].most);
        }
    }
}
END_TEST

START_TEST(bench_parses_source_addresses) {
    static const struct {
        const char *text;
        unsigned count; /* 0: wrong */
        const char *last;
    } cases[] = {{"127.0.0.2", 1, "127.0.0.2"},
                 {"127.0.0.2-127.0.0.9", 8, "127.0.0.9"},
                 {"::1,127.0.0.2", 2, "127.0.0.2"},
                 {"127.0.0.255-127.0.1.1", 3, "127.0.1.1"},
                 {"", 0, NULL},
                 {"127.0.0.1,", 0, NULL},
                 {"127.0.0.9-127.0.0.2", 0, NULL},
                 {"localhost", 0, NULL},
                 {"1.0.0.0-2.0.0.0", 0, NULL}};
    char **list = calloc(SETTINGS_SOURCES_MAX, sizeof *list);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned count = 0;
        const char *wrong = settings_value_sources(cases[i].text, list, &count);
        ck_assert_msg((wrong != NULL) == (cases[i].count == 0), "%s", cases[i].text);
        if (wrong == NULL) {
            ck_assert_uint_eq(count, cases[i].count);
            ck_assert_str_eq(list[count - 1], cases[i].last);
        }
        while (count > 0)
            free(list[--count]);
    }
    free(list);
}
END_TEST

Suite *bench_settings_suite(void) {
    Suite *suite = suite_create("bench_settings");
    TCase *tcase = tcase_create("bench_settings");
    tcase_add_test(tcase, bench_options_have_defaults);
    tcase_add_test(tcase, bench_accepts_options_and_urls_in_any_order);
    tcase_add_test(tcase, bench_gives_every_room_its_publishers);
    tcase_add_test(tcase, bench_replaces_room_in_urls_only);
    tcase_add_test(tcase, bench_uses_no_more_threads_than_clients);
    tcase_add_test(tcase, bench_parses_durations);
    tcase_add_test(tcase, bench_parses_size_ranges);
    tcase_add_test(tcase, bench_parses_source_addresses);
    suite_add_tcase(suite, tcase);
    return suite;
}
