/* test_log.c - events on stderr while no thread writes the log; levels and limits.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/log/log.h"
#include "tests/unit/suites.h"

/* --- Lines --------------------------------------------------------------------------------------------------- */

/* Between begin_capture() and end_capture() stderr is a file. */
static FILE *captured;
static int real_stderr;

static void begin_capture(void) {
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    ck_assert(captured != NULL && real_stderr >= 0);
    ck_assert_int_eq(dup2(fileno(captured), STDERR_FILENO), STDERR_FILENO);
}

static size_t end_capture(char *text, size_t size) {
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    rewind(captured);
    size_t got = fread(text, 1, size - 1, captured);
    text[got] = '\0';
    fclose(captured);
    log_set_level(LOG_INFO);
    return got;
}

static bool matches(const char *text, const char *pattern) {
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool result = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return result;
}

START_TEST(log_event_is_one_line) {
    char text[500];
    begin_capture();
    errno = ENOENT;
    log_event(LOG_SERVER, LOG_INFO, "listen",
              LOG_FIELDS(LOG_TEXT("address", "0.0.0.0:9000"), LOG_NUMBER("workers", 8)));
    int after = errno;
    log_event(LOG_HTTP, LOG_WARNING, "stop", LOG_FIELDS(LOG_TEXT("left_out", NULL)));
    end_capture(text, sizeof text);
    ck_assert_int_eq(after, ENOENT);
    ck_assert_msg(matches(text, "^time=[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z "
                                "level=info event=listen address=0\\.0\\.0\\.0:9000 workers=8\n"
                                "time=[^ ]*Z level=warning event=stop\n$"),
                  "%s", text);
}
END_TEST

static int count_lines(const char *text) {
    int count = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

START_TEST(log_level_limits_what_is_logged) {
    char text[1000];
    static const int lines[] = {[LOG_ERROR] = 1, [LOG_WARNING] = 2, [LOG_INFO] = 3, [LOG_DEBUG] = 4};
    begin_capture();
    log_set_level((enum log_level)_i);
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
        log_event(LOG_CONN, (enum log_level)level, "try", LOG_FIELDS(LOG_NUMBER("number", (uint64_t)level)));
    bool enabled = log_enabled(LOG_CONN, (enum log_level)_i),
         less = log_enabled(LOG_CONN, (enum log_level)(_i + 1));
    end_capture(text, sizeof text);
    ck_assert(enabled && !less);
    ck_assert_int_eq(count_lines(text), lines[_i]);
}
END_TEST

/* Each subsystem with its own level, and events of all levels in all of them. */
START_TEST(log_level_can_differ_per_subsystem) {
    static const enum log_level own[] = {LOG_ERROR, LOG_DEBUG, LOG_WARNING, LOG_INFO};
    char text[4000], wanted[40];
    begin_capture();
    for (int i = 0; i < LOG_SUBSYSTEMS; i++)
        log_set_subsystem_level((enum log_subsystem)i, own[i]);
    for (int i = 0; i < LOG_SUBSYSTEMS; i++)
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
            log_event((enum log_subsystem)i, (enum log_level)level, "try",
                      LOG_FIELDS(LOG_NUMBER("of", (uint64_t)(10 * i + level))));
    end_capture(text, sizeof text);
    ck_assert_int_eq(count_lines(text), 1 + 4 + 2 + 3);
    for (int i = 0; i < LOG_SUBSYSTEMS; i++)
        for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            snprintf(wanted, sizeof wanted, " of=%d\n", 10 * i + level);
            ck_assert_int_eq(strstr(text, wanted) != NULL, level <= (int)own[i]);
        }
}
END_TEST

enum { WRITERS = 4, LINES_EACH = 500 };

static void *write_lines(void *argument) {
    for (int i = 0; i < LINES_EACH; i++)
        log_event(LOG_SERVER, LOG_INFO, "line",
                  LOG_FIELDS(LOG_TEXT("writer", argument), LOG_NUMBER("number", (uint64_t)i)));
    return NULL;
}

START_TEST(log_lines_of_threads_do_not_mix) {
    static char text[WRITERS * LINES_EACH * 100];
    static char *names[WRITERS] = {"a", "b", "c", "d"};
    pthread_t threads[WRITERS];
    begin_capture();
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    end_capture(text, sizeof text);
    int next[WRITERS] = {0};
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char writer;
        int number;
        ck_assert_int_eq(sscanf(line, "time=%*s level=info event=line writer=%c number=%d", &writer, &number), 2);
        ck_assert_int_eq(number, next[writer - 'a']++);
    }
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(next[i], LINES_EACH);
}
END_TEST

/* stderr is closed. */
START_TEST(log_event_survives_a_closed_stderr) {
    char text[100];
    begin_capture();
    close(STDERR_FILENO);
    log_event(LOG_SERVER, LOG_ERROR, "lost", LOG_FIELDS(LOG_NUMBER("a", 1)));
    ck_assert_uint_eq(end_capture(text, sizeof text), 0);
}
END_TEST

/* --- Rates ------------------------------------------------------------------------------------------------- */

START_TEST(log_limit_passes_one_line_a_second) {
    struct log_limit limit = {0};
    unsigned suppressed = 99;
    ck_assert(log_limit_pass(&limit, 5000, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
    for (int i = 0; i < 3; i++)
        ck_assert(!log_limit_pass(&limit, 5000 + 333 * (uint64_t)i, &suppressed));
    ck_assert(!log_limit_pass(&limit, 5999, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
    ck_assert(log_limit_pass(&limit, 6000, &suppressed));
    ck_assert_uint_eq(suppressed, 4);
    ck_assert(!log_limit_pass(&limit, 6999, &suppressed));
    ck_assert(log_limit_pass(&limit, 60000, &suppressed));
    ck_assert_uint_eq(suppressed, 1);
    ck_assert(log_limit_pass(&limit, 61000, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(log_limited_line_counts_suppressed_lines) {
    char text[1000];
    struct log_limit limit = {0}, other = {0};
    begin_capture();
    log_event_limited(&limit, LOG_HTTP, LOG_DEBUG, "quiet", LOG_FIELDS(LOG_TEXT("not", "counted")));
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "flood", LOG_FIELDS(LOG_NUMBER("number", 1)));
    log_event_limited(&other, LOG_HTTP, LOG_WARNING, "rain", LOG_FIELDS(LOG_NUMBER("number", 1)));
    limit.next_ms = UINT64_MAX;
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "flood", LOG_FIELDS(LOG_NUMBER("number", 2)));
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "flood", LOG_FIELDS(LOG_NUMBER("number", 3)));
    limit.next_ms = 0;
    log_event_limited(&limit, LOG_HTTP, LOG_WARNING, "flood", LOG_FIELDS(LOG_NUMBER("number", 4)));
    end_capture(text, sizeof text);
    ck_assert_msg(matches(text, "^time=[^ ]* level=warning event=flood number=1\n"
                                "time=[^ ]* level=warning event=rain number=1\n"
                                "time=[^ ]* level=warning event=flood suppressed=2 number=4\n$"),
                  "%s", text);
}
END_TEST

struct flood {
    struct log_limit limit;
    _Atomic unsigned passed, reported;
};

static void *flood(void *argument) {
    struct flood *shared = argument;
    for (uint64_t now = 1; now <= 20000; now++) {
        unsigned suppressed = 0;
        if (log_limit_pass(&shared->limit, now, &suppressed)) {
            shared->passed++;
            shared->reported += suppressed;
        }
    }
    return NULL;
}

/* Threads whose clock readings differ by scheduling: every line passes or is counted. */
START_TEST(log_limit_counts_for_all_threads) {
    static struct flood shared;
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, flood, &shared), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_le(shared.passed, 20);
    ck_assert_uint_ge(shared.passed, 1);
    ck_assert_uint_eq(shared.passed + shared.reported + shared.limit.suppressed, WRITERS * 20000);
}
END_TEST

Suite *log_suite(void) {
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, log_event_is_one_line);
    tcase_add_loop_test(lines, log_level_limits_what_is_logged, LOG_ERROR, LOG_DEBUG + 1);
    tcase_add_test(lines, log_level_can_differ_per_subsystem);
    tcase_add_test(lines, log_lines_of_threads_do_not_mix);
    tcase_add_test(lines, log_event_survives_a_closed_stderr);
    suite_add_tcase(suite, lines);
    TCase *rates = tcase_create("rates");
    tcase_add_test(rates, log_limit_passes_one_line_a_second);
    tcase_add_test(rates, log_limited_line_counts_suppressed_lines);
    tcase_add_test(rates, log_limit_counts_for_all_threads);
    suite_add_tcase(suite, rates);
    return suite;
}
