/* test_bench_report.c - the table, the page, and the output of a finished result.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/bench/report/report.h"
#include "commands/bench/summary.h"
#include "commands/commands.h"
#include "tests/unit/bench_results.h"
#include "tests/unit/suites.h"

/* --- Figures ----------------------------------------------------------------------------------------------- */

static const struct {
    char *(*write)(double figure, char text[REPORT_FIGURE_SIZE]);
    double figure;
    const char *text;
} statistics[] = {
    {report_duration, 0, "0 s"},
    {report_duration, -1, "0 s"},
    {report_duration, NAN, "0 s"},
    {report_duration, INFINITY, "0 s"},
    {report_duration, 1, "1 ns"},
    {report_duration, 999, "999 ns"},
    {report_duration, 999.6, "1 us"},
    {report_duration, 41230, "41.2 us"},
    {report_duration, 412000, "412 us"},
    {report_duration, 999499, "999 us"},
    {report_duration, 999500, "1 ms"},
    {report_duration, 3100000, "3.1 ms"},
    {report_duration, 3124000, "3.12 ms"},
    {report_duration, 9996000, "10 ms"},
    {report_duration, 2500000000, "2.5 s"},
    {report_duration, 120e9, "120 s"},
    {report_duration, 3600e9, "3,600 s"},
    {report_number, 0, "0"},
    {report_number, NAN, "0"},
    {report_number, 0.5, "0.5"},
    {report_number, 7, "7"},
    {report_number, 12.345, "12.3"},
    {report_number, 99.96, "100"},
    {report_number, 999, "999"},
    {report_number, 1000, "1,000"},
    {report_number, 1234567, "1,234,567"},
    {report_number, 123456789012, "123,456,789,012"},
    {report_number, 1e18, "1,000,000,000,000,000,000"},
    {report_number, 1e300, "very many"},
    {report_bytes, 0, "0 B"},
    {report_bytes, 20, "20 B"},
    {report_bytes, 1000, "1 kB"},
    {report_bytes, 12345678, "12.3 MB"},
    {report_bytes, 5e20, "500,000 PB"},
    {report_bytes, 5e300, "very many PB"},
};

START_TEST(report_formats_numbers_for_people) {
    char text[REPORT_FIGURE_SIZE];
    ck_assert_ptr_eq(statistics[_i].write(statistics[_i].figure, text), text);
    ck_assert_str_eq(text, statistics[_i].text);
}
END_TEST

static const struct {
    const char *text;
    size_t size; /* of what is taken */
    uint32_t character;
} characters[] = {
    {"ab", 1, 'a'},
    {"\x01", 1, 0xfffd},
    {"\x7f", 1, 0xfffd},
    {"\x1b[", 1, 0xfffd},
    {"\xc3\xa4", 2, 0xe4},
    {"\xc2\x9b", 2, 0xfffd},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xf0\x9f\x98\x80", 4, 0x1f600},
    {"\xff", 1, 0xfffd},
    {"\xc3", 1, 0xfffd},
    {"\xc3z", 1, 0xfffd},
    {"\xed\xa0\x80", 1, 0xfffd},
    {"\xe2\x80\xae", 3, 0xfffd},
};

START_TEST(report_takes_foreign_text_apart_by_character) {
    const char *text = characters[_i].text;
    ck_assert_uint_eq(summary_character(&text), characters[_i].character);
    ck_assert_uint_eq((size_t)(text - characters[_i].text), characters[_i].size);
}
END_TEST

/* --- The table and the page -------------------------------------------------------------------------------- */

/* The output of a report, terminated, in the heap. */
static char *written(void (*report)(const struct result *result, FILE *out), const struct result *result) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    report(result, out);
    fclose(out);
    ck_assert_uint_eq(strlen(text), size);
    return text;
}

static void expect_part(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in\n%.2000s", part, text);
}

static void expect_no_part(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in\n%.2000s", part, text);
}

static const char *const scenarios[] = {"echo", "rate", "broadcast", "idle", "connect"};

START_TEST(report_text_fits_80_columns_and_has_all_results) {
    struct result *result = bench_result_full(scenarios[_i]);
    bool messages = summary_has_messages(result);
    char *text = written(report_text, result);
    expect_part(text, scenarios[_i]);
    expect_part(text, "connected              997");
    expect_part(text, "failed                   3");
    expect_part(text, "1,000,004 connection refused,");
    expect_part(text, "HTTP 403: <script>alert(\"?[31mno\")</script> \xc3\xa4");
    expect_part(text, "The tester had no time left: use --threads, or another machine;");
    (messages ? expect_part : expect_no_part)(text, "1,234,567");
    (messages ? expect_part : expect_no_part)(text, "latency");
    (messages ? expect_part : expect_no_part)(text, "missing");
    (strcmp(scenarios[_i], "broadcast") == 0 ? expect_part : expect_no_part)(text, "out of order");
    (strcmp(scenarios[_i], "rate") == 0 ? expect_part : expect_no_part)(text, "late   ");
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "%s", line);
    free(text);
    bench_result_free(result);
}
END_TEST

START_TEST(report_mentions_rooms_if_there_are_several) {
    struct result *result = bench_result_full("broadcast");
    char *text = written(report_text, result);
    expect_part(text, "clients       1,000, of which 10 publish\n");
    expect_no_part(text, "unexpected");
    free(text);
    result->rooms = 5;
    text = written(report_text, result);
    expect_part(text, "clients       1,000 in 5 rooms, of which 10 publish\n");
    expect_part(text, "unexpected               4\n");
    free(text);
    text = written(report_html, result);
    expect_part(text, "[\"clients\",\"1,000 in 5 rooms, of which 10 publish\"]");
    expect_part(text, "[\"unexpected\",4]");
    free(text);
    bench_result_free(result);
}
END_TEST

/* Returns the JSON that the page has for its script, with the escaped markup as it was; in the heap. */
static char *data_of(const char *page) {
    static const char begin[] = "id=\"data\">";
    const char *from = strstr(page, begin);
    ck_assert_ptr_nonnull(from);
    from += sizeof begin - 1;
    size_t size = (size_t)(strstr(from, "</script>") - from);
    char *data = strndup(from, size), *to = data;
    ck_assert_uint_eq(strcspn(data, "<>&"), size);
    for (const char *c = data; *c != '\0'; c++) {
        static const char *const escapes[] = {"\\u003c", "\\u003e", "\\u0026"};
        *to = *c;
        for (int i = 0; i < COUNT(escapes); i++)
            if (strncmp(c, escapes[i], 6) == 0) {
                *to = "<>&"[i];
                c += 5;
                break;
            }
        to++;
    }
    *to = '\0';
    return data;
}

START_TEST(report_html_escapes_foreign_text_and_is_complete) {
    struct result *result = bench_result_full(scenarios[_i]);
    char *page = written(report_html, result), *json = written(report_json, result), *data = data_of(page);
    static const char *const never[] = {
        "<script>alert", "<b>&", "http:", "https:", "src=", "<i>\"", "@DATA", "\x1b", "a & b"};
    for (int i = 0; i < COUNT(never); i++)
        expect_no_part(page, never[i]);
    expect_part(data, "ws://127.0.0.1:9000/<b>&\\\"' ws://[::1]:9000/");
    expect_part(data, "<script>alert(\\\"\\u001B[31mno\\\")</script> \xc3\xa4");
    expect_part(data, json);
    expect_part(page, "</html>\n");
    free(data);
    free(json);
    free(page);
    bench_result_free(result);
}
END_TEST

START_TEST(report_html_shows_several_runs_by_name) {
    struct result *first = bench_result_full("echo"), *second = bench_result_full("echo");
    second->counts.connected = 123;
    const struct report_run runs[] = {{"</script>.json", first}, {"b.json", second}};
    char *page = NULL, *json = written(report_json, second);
    size_t size;
    FILE *out = open_memstream(&page, &size);
    report_html_runs(runs, COUNT(runs), out);
    fclose(out);
    char *data = data_of(page);
    expect_part(data, "{\"name\":\"</script>.json\",\"result\":{\"format\":1,");
    expect_part(data, "{\"name\":\"b.json\",\"result\":{\"format\":1,");
    expect_part(data, json);
    expect_part(page, "</html>\n");
    free(data);
    free(json);
    free(page);
    bench_result_free(first);
    bench_result_free(second);
}
END_TEST

START_TEST(report_verdict_names_every_failure) {
    char text[SUMMARY_VERDICT_SIZE];
    struct result *result = bench_result_refused();
    ck_assert(!summary_verdict(result, text));
    ck_assert_str_eq(text, "No client connected: ws://127.0.0.1:9000/: connection refused");
    char *page = written(report_html, result);
    expect_part(page, "\"verdict\":\"No client connected: ");
    free(page);
    bench_result_free(result);

    result = bench_result_full("broadcast");
    ck_assert(!summary_verdict(result, text));
    ck_assert_str_eq(text, "3 handshakes failed, 2 connections dropped, 7 messages missing, "
                           "2 messages changed on their way, 1 message out of order.");
    result->counts.failed = result->counts.dropped = result->missing = result->wrong = result->out_of_order = 0;
    ck_assert(summary_verdict(result, text));
    ck_assert_str_eq(text, "Every message was delivered to everybody, unchanged and in order.");
    result->rooms = 2;
    ck_assert(!summary_verdict(result, text));
    ck_assert_str_eq(text, "4 messages that came to another room.");
    result->unexpected = 1;
    ck_assert(!summary_verdict(result, text));
    ck_assert_str_eq(text, "1 message that came to another room.");
    result->unexpected = 0;
    ck_assert(summary_verdict(result, text));
    ck_assert_str_eq(
        text, "Every message was delivered to every client in its room and to no other client, unchanged and "
              "in order.");
    result->counts.received = 0;
    ck_assert(!summary_verdict(result, text));
    ck_assert_str_eq(text, "No message came back while measuring.");
    bench_result_free(result);
}
END_TEST

/* The tests with a browser look at what the page makes of these. */
START_TEST(report_handles_empty_and_extreme_results) {
    struct result *result = bench_result_full("echo");
    result->interval_count = _i % 2 == 0 ? 0 : 1;
    if (_i / 2 == 0)
        memset(&result->latency, 0, sizeof result->latency);
    if (_i / 2 == 1) {
        memset(&result->latency, 0, sizeof result->latency);
        histogram_record(&result->latency, 0);
    }
    if (_i / 2 == 2) {
        memset(&result->latency, 0, sizeof result->latency);
        histogram_record(&result->latency, UINT64_MAX / 2);
        result->seconds = 0;
        result->began = 0;
        result->scenario[0] = '\0';
        result->busiest = 1e300;
        result->clients = 0;
    }
    if (_i / 2 == 3) {
        free(result->url);
        result->url = NULL;
        memset(result->host, 0, sizeof result->host);
        result->interval_count = 20;
        memset(result->intervals, 0, 20 * sizeof *result->intervals);
    }
    char *page = written(report_html, result), *text = written(report_text, result), *data = data_of(page);
    expect_part(page, "</html>\n");
    expect_no_part(data, ":nan");
    expect_no_part(data, "inf,");
    expect_no_part(text, "nan");
    free(data);
    free(page);
    free(text);
    bench_result_free(result);
}
END_TEST

/* --- All at once ------------------------------------------------------------------------------------------- */

/* report_all() with stdout and stderr in files; *said is the text on stderr, in the heap. */
static int report_aside(const struct result *result, const struct settings *settings, char **out, char **said) {
    FILE *files[2] = {tmpfile(), tmpfile()};
    char **texts[2] = {out, said};
    int saved[2];
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(i + 1);
        dup2(fileno(files[i]), i + 1);
    }
    int status = report_all(result, settings);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
        long size = lseek(fileno(files[i]), 0, SEEK_END);
        *texts[i] = calloc(1, (size_t)size + 1);
        ck_assert_int_eq(pread(fileno(files[i]), *texts[i], (size_t)size, 0), size);
        fclose(files[i]);
    }
    return status;
}

START_TEST(report_status_tells_conditions_and_write_errors) {
    static const struct {
        const char *condition, *json;
        int status;
        const char *out, *said;
    } cases[] = {
        {NULL, NULL, STATUS_OK, "scenario      echo", ""},
        {"missing>7", NULL, STATUS_OK, "scenario      echo", ""},
        {"missing>6", NULL, STATUS_CROSSED, "scenario      echo", "weir bench: missing>6: it is 7\n"},
        {"max>1s", NULL, STATUS_CROSSED, "scenario      echo", "weir bench: max>1s: it is 7,000 s\n"},
        {NULL, "-", STATUS_OK, "{\"format\":1", "scenario      echo"},
        {NULL, "/nowhere/result.json", STATUS_FAILURE, "scenario      echo",
         "weir bench: cannot write /nowhere/result.json: No such file or directory\n"},
        {"missing>6", "/dev/full", STATUS_FAILURE, "scenario      echo",
         "weir bench: cannot write /dev/full: No space left on device\nweir bench: missing>6: it is 7\n"},
    };
    struct result *result = bench_result_full("echo");
    for (int i = 0; i < COUNT(cases); i++) {
        struct condition condition;
        char error[512], *out, *said;
        struct settings settings = {.json_path = cases[i].json, .conditions = &condition};
        if (cases[i].condition != NULL)
            ck_assert(condition_parse(cases[i].condition, &condition, error, sizeof error));
        settings.condition_count = cases[i].condition != NULL;
        ck_assert_int_eq(report_aside(result, &settings, &out, &said), cases[i].status);
        expect_part(out, cases[i].out);
        expect_part(said, cases[i].said);
        free(out);
        free(said);
    }
    bench_result_free(result);
}
END_TEST

Suite *bench_report_suite(void) {
    Suite *suite = suite_create("bench_report");
    TCase *tcase = tcase_create("bench_report");
    tcase_add_loop_test(tcase, report_formats_numbers_for_people, 0, COUNT(statistics));
    tcase_add_loop_test(tcase, report_takes_foreign_text_apart_by_character, 0, COUNT(characters));
    tcase_add_loop_test(tcase, report_text_fits_80_columns_and_has_all_results, 0, COUNT(scenarios));
    tcase_add_test(tcase, report_mentions_rooms_if_there_are_several);
    tcase_add_loop_test(tcase, report_html_escapes_foreign_text_and_is_complete, 0, COUNT(scenarios));
    tcase_add_test(tcase, report_html_shows_several_runs_by_name);
    tcase_add_test(tcase, report_verdict_names_every_failure);
    tcase_add_loop_test(tcase, report_handles_empty_and_extreme_results, 0, 8);
    tcase_add_test(tcase, report_status_tells_conditions_and_write_errors);
    suite_add_tcase(suite, tcase);
    return suite;
}
