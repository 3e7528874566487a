/* test_log.c - lines of the log as they arrive at stderr, and the quoting of what clients supply.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log/log.h"
#include "server/proto/utf8.h"
#include "tests/unit/suites.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* --- log_quote ----------------------------------------------------------------------------------------------- */

static const char *const quotes[][2] = {
    {"", "\"\""},
    {"plain", "plain"},
    {"192.0.2.7:50124", "192.0.2.7:50124"},
    {"/light/{status}", "/light/{status}"},
    {"two words", "\"two words\""},
    {"a=b", "\"a=b\""},
    {"say \"hi\"", "\"say \\\"hi\\\"\""},
    {"\"", "\"\\\"\""},
    {"back\\slash", "\"back\\\\slash\""},
    {"a\nlevel=error", "\"a\\nlevel=error\""},
    {"\r\t", "\"\\r\\t\""},
    {"\x01\x1b[2J\x7f", "\"\\x01\\x1b[2J\\x7f\""},
    {"caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa", "caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xaa"},
    {"a caf\xc3\xa9", "\"a caf\xc3\xa9\""},
    {"caf\xe9", "\"caf\\xe9\""},
    {"\xc3(", "\"\\xc3(\""},
    {"\xe2\x82", "\"\\xe2\\x82\""},
    {"\xf0\x9f\x9a", "\"\\xf0\\x9f\\x9a\""},
    {"\x80\xbf\xff\xc0\x80", "\"\\x80\\xbf\\xff\\xc0\\x80\""},
    {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
    {"\xc2\x9b"
     "2J",
     "\"\\xc2\\x9b"
     "2J\""},
    {"\xc2\xa0", "\xc2\xa0"},
};

START_TEST(quoting) {
    char quoted[100];
    ck_assert_ptr_eq(log_quote(quotes[_i][0], quoted, sizeof quoted), quoted);
    ck_assert_str_eq(quoted, quotes[_i][1]);
}
END_TEST

/* In a buffer of exactly each size, so that a sanitizer sees a byte too many. */
START_TEST(quoting_cuts_to_fit) {
    const char *text = quotes[_i][0], *whole = quotes[_i][1];
    size_t full = strlen(whole);
    for (size_t size = 1; size <= full + 1; size++) {
        char *quoted = malloc(size);
        log_quote(text, quoted, size);
        size_t got = strlen(quoted);
        ck_assert_uint_lt(got, size);
        ck_assert(utf8_valid((uint8_t *)quoted, got));
        if (got > 0 && whole[0] == '"') {
            ck_assert(got >= 2 && quoted[got - 1] == '"');
            ck_assert_int_eq(memcmp(quoted, whole, got - 1), 0);
        } else {
            ck_assert_int_eq(memcmp(quoted, whole, got), 0);
        }
        ck_assert(size <= full || got == full);
        free(quoted);
    }
    ck_assert_ptr_null(log_quote(text, NULL, 0));
}
END_TEST

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

START_TEST(a_line_is_logfmt) {
    char text[500];
    begin_capture();
    errno = ENOENT;
    log_event(LOG_INFO, "listen", "address=%s workers=%d", "0.0.0.0:9000", 8);
    int after = errno;
    log_event(LOG_WARNING, "stop", "%s", "");
    end_capture(text, sizeof text);
    ck_assert_int_eq(after, ENOENT);
    ck_assert_msg(matches(text, "^time=[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z "
                                "level=info event=listen address=0\\.0\\.0\\.0:9000 workers=8\n"
                                "time=[^ ]*Z level=warning event=stop\n$"),
                  "%s", text);
}
END_TEST

START_TEST(levels) {
    char text[1000];
    static const int lines[] = {[LOG_ERROR] = 1, [LOG_WARNING] = 2, [LOG_INFO] = 3, [LOG_DEBUG] = 4};
    begin_capture();
    log_set_level((enum log_level)_i);
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
        log_event((enum log_level)level, "try", "number=%d", level);
    bool enabled = log_enabled((enum log_level)_i), less = log_enabled((enum log_level)(_i + 1));
    end_capture(text, sizeof text);
    ck_assert(enabled && !less);
    int count = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    ck_assert_int_eq(count, lines[_i]);
}
END_TEST

START_TEST(no_value_begins_a_new_line) {
    char text[500];
    begin_capture();
    log_event(LOG_INFO, "careless", "a=%s", "1\ntime=fake\r\x1b");
    size_t size = end_capture(text, sizeof text);
    ck_assert_ptr_eq(strchr(text, '\n'), text + size - 1);
    ck_assert_ptr_null(strpbrk(text, "\r\x1b"));
}
END_TEST

/* Wherever the cut falls: in a word, in an escape, in a character. */
START_TEST(a_long_line_is_cut_and_says_so) {
    static const char *const fillers[] = {"x", "\\x1b", "\\\"", "\xf0\x9f\x9a\xaa", "\\\\"};
    static char text[3 * PIPE_BUF], value[2 * PIPE_BUF];
    for (int filler = 0; filler < COUNT(fillers); filler++)
        for (size_t shift = 0; shift < 4; shift++) {
            memset(value, 'x', shift);
            for (size_t at = shift; at < sizeof value - 5; at += strlen(fillers[filler]))
                strcpy(value + at, fillers[filler]);
            begin_capture();
            log_event(LOG_INFO, "long", "a=\"%s\" b=2", value);
            size_t size = end_capture(text, sizeof text);
            ck_assert_uint_le(size, PIPE_BUF);
            ck_assert(utf8_valid((uint8_t *)text, size));
            ck_assert_msg(matches(text, " event=long a=\"([^\"\\]|\\\\x1b|\\\\[\"\\])*\" truncated=yes\n$"), "%s",
                          text + size - 60);
        }
    memset(value, 'x', sizeof value - 1);
    begin_capture();
    log_event(LOG_INFO, "long", "a=%s", value);
    end_capture(text, sizeof text);
    ck_assert(matches(text, " event=long a=x* truncated=yes\n$"));
}
END_TEST

/* The longest line that is not cut, and one byte more. */
START_TEST(the_edge_of_a_cut) {
    static char text[2 * PIPE_BUF], value[PIPE_BUF];
    size_t uncut = 0, cut = 0;
    for (size_t size = PIPE_BUF - 200; size < PIPE_BUF - 1; size++) {
        memset(value, 'x', size);
        value[size] = '\0';
        begin_capture();
        log_event(LOG_INFO, "edge", "a=%s", value);
        size_t got = end_capture(text, sizeof text);
        ck_assert_uint_le(got, PIPE_BUF);
        ck_assert_int_eq(text[got - 1], '\n');
        if (strstr(text, "truncated=yes") != NULL)
            cut++;
        else
            uncut++;
        ck_assert_msg(cut > 0 || strspn(strstr(text, "a=") + 2, "x") == size, "a byte got lost");
    }
    ck_assert(cut > 0 && uncut > 0);
}
END_TEST

enum { WRITERS = 4, LINES_EACH = 500 };

static void *write_lines(void *argument) {
    for (int i = 0; i < LINES_EACH; i++)
        log_event(LOG_INFO, "line", "writer=%s number=%d", (const char *)argument, i);
    return NULL;
}

START_TEST(lines_of_threads_do_not_mix) {
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

/* A reader that has gone, or no stderr at all. */
START_TEST(nobody_reads) {
    char text[100];
    begin_capture();
    close(STDERR_FILENO);
    log_event(LOG_ERROR, "lost", "a=%d", 1);
    ck_assert_uint_eq(end_capture(text, sizeof text), 0);
}
END_TEST

/* --- Rates ------------------------------------------------------------------------------------------------- */

START_TEST(a_limit_lets_one_line_a_second_pass) {
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

START_TEST(a_limited_line_says_what_was_left_out) {
    char text[1000];
    struct log_limit limit = {0}, other = {0};
    begin_capture();
    log_event_limited(&limit, LOG_DEBUG, "quiet", "not=%s", "counted"); /* below the threshold */
    log_event_limited(&limit, LOG_WARNING, "flood", "number=%d", 1);
    log_event_limited(&other, LOG_WARNING, "rain", "number=%d", 1);
    limit.next_ms = UINT64_MAX;
    log_event_limited(&limit, LOG_WARNING, "flood", "number=%d", 2);
    log_event_limited(&limit, LOG_WARNING, "flood", "number=%d", 3);
    limit.next_ms = 0;
    log_event_limited(&limit, LOG_WARNING, "flood", "number=%d", 4);
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

/* Threads whose clocks are apart by what the scheduler makes of it: every line passes or is counted. */
START_TEST(a_limit_counts_for_all_threads) {
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
    TCase *quote = tcase_create("quote");
    tcase_add_loop_test(quote, quoting, 0, COUNT(quotes));
    tcase_add_loop_test(quote, quoting_cuts_to_fit, 0, COUNT(quotes));
    suite_add_tcase(suite, quote);
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, a_line_is_logfmt);
    tcase_add_loop_test(lines, levels, LOG_ERROR, LOG_DEBUG + 1);
    tcase_add_test(lines, no_value_begins_a_new_line);
    tcase_add_test(lines, a_long_line_is_cut_and_says_so);
    tcase_add_test(lines, the_edge_of_a_cut);
    tcase_add_test(lines, lines_of_threads_do_not_mix);
    tcase_add_test(lines, nobody_reads);
    suite_add_tcase(suite, lines);
    TCase *rates = tcase_create("rates");
    tcase_add_test(rates, a_limit_lets_one_line_a_second_pass);
    tcase_add_test(rates, a_limited_line_says_what_was_left_out);
    tcase_add_test(rates, a_limit_counts_for_all_threads);
    suite_add_tcase(suite, rates);
    return suite;
}
