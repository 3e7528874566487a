/* test_bench_json.c - results as JSON: written and loaded without loss, refused with a reason, merged.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/bench/merge.h"
#include "commands/bench/report/report.h"
#include "commands/commands.h"
#include "tests/unit/bench_results.h"
#include "tests/unit/suites.h"

enum { PATH_SIZE = 64 };

/* Terminated, in the heap. Inlined, gcc 12 takes the text for a pointer to the variable that held it. */
__attribute__((noinline)) static char *json_of(const struct result *result) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    report_json(result, out);
    fclose(out);
    return text;
}

/* Writes a temporary file; remove it. */
static void save(const char *text, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "/tmp/weir-bench-XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static bool load_text(const char *text, struct result *result, char *error, size_t error_size) {
    char path[PATH_SIZE];
    save(text, path);
    bool loaded = report_load(path, result, error, error_size);
    if (!loaded) { /* the file's name comes first */
        ck_assert_int_eq(strncmp(error, path, strlen(path)), 0);
        memmove(error, error + strlen(path), strlen(error + strlen(path)) + 1);
        ck_assert_int_eq(strncmp(error, ": ", 2), 0);
    }
    unlink(path);
    return loaded;
}

/* --- There and back ---------------------------------------------------------------------------------------- */

START_TEST(json_result_survives_writing_and_loading) {
    static const char *const scenarios[] = {"echo", "rate", "broadcast", "idle", "connect"};
    struct result *one = bench_result_full(scenarios[_i]), *other = calloc(1, sizeof *other);
    snprintf(one->first_error, sizeof one->first_error,
             "control \x01\x1f\x7f, quotes \"\\, \xc3\xa4 \xf0\x9f\x98\x80");
    char error[512] = "", *text = json_of(one);
    ck_assert_msg(load_text(text, other, error, sizeof error), "%s", error);
    ck_assert_str_eq(other->url, one->url);
    ck_assert_uint_eq(other->interval_count, one->interval_count);
    for (size_t i = 0; i < one->interval_count; i++) {
        const struct interval *was = &one->intervals[i], *is = &other->intervals[i];
        ck_assert_mem_eq(&is->counts, &was->counts, sizeof was->counts);
        ck_assert(is->open == was->open && is->p50 == was->p50 && is->p99 == was->p99 &&
                  is->maximum == was->maximum);
    }
    ck_assert(!other->intervals[3].measuring && other->intervals[4].measuring);
    ck_assert_mem_eq(&other->latency, &one->latency, sizeof one->latency);
    ck_assert_mem_eq(&other->handshake, &one->handshake, sizeof one->handshake);
    ck_assert_mem_eq(other->failures, one->failures, sizeof one->failures);
    ck_assert_str_eq(other->first_error, one->first_error);
    ck_assert(other->seconds == one->seconds && other->connect_seconds == one->connect_seconds);
    ck_assert(other->rate == one->rate && other->cpu_seconds == one->cpu_seconds && other->busiest == one->busiest);
    char *again = json_of(other);
    ck_assert_str_eq(again, text);
    free(text);
    free(again);
    bench_result_free(one);
    bench_result_free(other);
}
END_TEST

START_TEST(json_result_replaces_invalid_utf8) {
    struct result *one = bench_result_refused(), *other = calloc(1, sizeof *other);
    snprintf(one->first_error, sizeof one->first_error, "\xff\xc3 a\x01");
    char error[512] = "", *text = json_of(one);
    ck_assert_msg(load_text(text, other, error, sizeof error), "%s", error);
    ck_assert_str_eq(other->first_error, "\xef\xbf\xbd\xef\xbf\xbd a\x01");
    free(text);
    bench_result_free(one);
    bench_result_free(other);
}
END_TEST

/* --- What is refused --------------------------------------------------------------------------------------- */

/* A good file in which `from` becomes `to`. */
static const struct {
    const char *from, *to, *error;
} wrongs[] = {
    {"\"format\":1", "\"format\":2", "format 2 is not known; this weir reads format 1"},
    {"\"format\":1", "\"format\":\"1\"", "format is not an integer"},
    {"\"format\":1,", "", "format is missing"},
    {"\"clients\":1000", "\"clients\":-1", "settings.clients is negative"},
    {"\"clients\":1000", "\"clients\":4294967296", "settings.clients is too large"},
    {"\"clients\":1000", "\"clients\":1000.0", "settings.clients is not an integer"},
    {"\"clients\":1000", "\"clients\":null", "settings.clients is not an integer"},
    {"\"clients\":1000", "\"clients\":99999999999999999999", "not JSON: line"},
    {"\"clients\":1000", "\"clients\":1,\"clients\":2", "not JSON: line"},
    {"\"text\":true", "\"text\":1", "settings.text is not true or false"},
    {"\"scenario\":\"echo\"", "\"scenario\":\"a scenario with a name\"", "settings.scenario is too long"},
    {"\"scenario\":\"echo\"", "\"scenario\":\"e\\u0000\"", "not JSON: line"},
    {"\"scenario\":\"echo\"", "\"scenario\":7", "settings.scenario is not a string"},
    {"\"duration_seconds\":10.5", "\"duration_seconds\":-10.5", "settings.duration_seconds is negative"},
    {"\"duration_seconds\":10.5", "\"duration_seconds\":1e999", "not JSON: line"},
    {"\"duration_seconds\":10.5", "\"duration_seconds\":NaN", "not JSON: line"},
    {"\"duration_seconds\":10.5", "\"duration_seconds\":\"10s\"", "settings.duration_seconds is not a number"},
    {"\"began_unix_seconds\":", "\"began_unix_seconds\":999", "began_unix_seconds is too large"},
    {"\"settings\":", "\"seddings\":", "settings is missing"},
    {"\"late\":", "\"early\":", "messages.late is missing"},
    {"\"unexpected\":4", "\"unexpected\":4.5", "messages.unexpected is not an integer"},
    {"\"rooms\":1,", "", "settings.rooms is missing"},
    {"\"timed_out\":", "\"timed_in\":", "connections.failures.timed_out is missing"},
    {"\"failures\":{", "\"failures\":[],\"more\":{", "connections.failures is not an object"},
    {"\"open\":999,", "", "intervals[1].open is missing"},
    {"\"open\":999,", "\"open\":true,", "intervals[1].open is not an integer"},
    {"\"open\":1000,\"p50_seconds\":", "\"open\":1000,\"p50_seconds\":1e12,\"x\":",
     "intervals[0].p50_seconds is too large"},
    {"\"intervals\":[", "\"intervals\":[3,", "intervals[0] is not an object"},
    {"\"intervals\":[", "\"intervals\":{},\"more\":[", "intervals is not an array"},
    {"\"count\":5002", "\"count\":5003", "latency.count is not the sum of its buckets"},
    {"\"maximum_seconds\":7000.0", "\"maximum_seconds\":7e-12", "latency.minimum_seconds is above"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[4608,1]", "latency.buckets[0] has a bucket that is out of range"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[-1,1]", "latency.buckets[0] has a bucket that is out of range"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0,0]", "latency.buckets[0] has a count that is not positive"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0,-1]", "latency.buckets[0] has a count that is not positive"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0,1],[0,1]", "latency.buckets[1] has a bucket that was there before"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0]", "latency.buckets[0] is not [bucket, count]"},
    {"\"buckets\":[[0,1]", "\"buckets\":[7", "latency.buckets[0] is not [bucket, count]"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0,1.0]", "latency.buckets[0] is not [bucket, count]"},
    {"\"buckets\":[[0,1]", "\"buckets\":[[0,9223372036854775807],[1,9223372036854775807],[2,4]",
     "latency.count is not the sum"},
    {"}\n", "}\n}", "not JSON: line"},
    {"}\n", "}\nmore", "not JSON: line"},
    {"{\"format\"", "[{\"format\"", "not JSON: line"},
};

/* The last place where `from` is if it is the file's end, else the first one. */
static char *exchange(const char *text, const char *from, const char *to) {
    bool at_the_end = strcmp(from, "}\n") == 0;
    const char *place = at_the_end ? text + strlen(text) - strlen(from) : strstr(text, from);
    ck_assert_msg(place != NULL, "%s is not in the file", from);
    char *changed = NULL;
    ck_assert_int_gt(asprintf(&changed, "%.*s%s%s", (int)(place - text), text, to, place + strlen(from)), 0);
    return changed;
}

START_TEST(json_result_with_wrong_member_is_refused) {
    struct result *one = bench_result_full("echo"), *other = calloc(1, sizeof *other);
    if (strstr(wrongs[_i].to, "7e-12") != NULL) { /* a minimum of 0 is below everything */
        memset(&one->latency, 0, sizeof one->latency);
        histogram_record(&one->latency, 7000000000000);
    }
    char *good = json_of(one), *changed = exchange(good, wrongs[_i].from, wrongs[_i].to), error[512] = "";
    ck_assert_msg(!load_text(changed, other, error, sizeof error), "%s was taken", wrongs[_i].to);
    ck_assert_msg(strstr(error, wrongs[_i].error) != NULL, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));
    ck_assert_ptr_null(other->url);
    ck_assert_ptr_null(other->intervals);
    free(good);
    free(changed);
    free(other);
    bench_result_free(one);
}
END_TEST

START_TEST(report_load_refuses_files_without_results) {
    static const struct {
        const char *text, *error;
    } cases[] = {{"", "not JSON"}, {"[]", "not an object"}, {"{}", "format is missing"}, {"\xff\xfe", "not JSON"}};
    struct result *result = calloc(1, sizeof *result);
    char error[512];
    for (int i = 0; i < COUNT(cases); i++) {
        ck_assert(!load_text(cases[i].text, result, error, sizeof error));
        ck_assert_msg(strstr(error, cases[i].error) != NULL, "%s", error);
    }
    ck_assert(!report_load("/nowhere/x.json", result, error, sizeof error));
    ck_assert_str_eq(error, "/nowhere/x.json: cannot be read: No such file or directory");
    ck_assert(!report_load("/", result, error, sizeof error));
    ck_assert_msg(strstr(error, "Is a directory") != NULL, "%s", error);
    free(result);
}
END_TEST

/* A file truncated anywhere is refused. */
START_TEST(report_load_refuses_truncated_results) {
    struct result *one = bench_result_refused(), *other = calloc(1, sizeof *other);
    char *text = json_of(one), error[512];
    for (size_t size = 0; size + 1 < strlen(text); size += 1 + size / 16) {
        char *half = strndup(text, size);
        ck_assert(!load_text(half, other, error, sizeof error));
        free(half);
    }
    free(text);
    free(other);
    bench_result_free(one);
}
END_TEST

/* --- Merging ----------------------------------------------------------------------------------------------- */

/* bench_merge() without its table; stderr is quiet as well. */
static int merge_aside(char *const *paths, unsigned count, const struct settings *settings) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), saved[2];
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(i + 1);
        dup2(nowhere, i + 1);
    }
    int status = bench_merge(paths, count, settings);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
    close(nowhere);
    return status;
}

static void save_result(struct result *result, char path[PATH_SIZE]) {
    char *text = json_of(result);
    save(text, path);
    free(text);
    bench_result_free(result);
}

START_TEST(merge_adds_up_results_exactly) {
    char paths[3][PATH_SIZE], sum[PATH_SIZE], error[512] = "";
    for (int i = 0; i < 3; i++) {
        struct result *one = bench_result_full("echo");
        one->began += i;
        snprintf(one->host, sizeof one->host, "host%d", i);
        save_result(one, paths[i]);
    }
    save("", sum);
    const struct settings settings = {.json_path = sum};
    ck_assert_int_eq(merge_aside((char *[]){paths[0], paths[1], paths[2]}, 3, &settings), STATUS_OK);
    struct result *merged = calloc(1, sizeof *merged), *one = bench_result_full("echo");
    ck_assert_msg(report_load(sum, merged, error, sizeof error), "%s", error);
    ck_assert_uint_eq(merged->counts.received, 3 * one->counts.received);
    ck_assert_uint_eq(merged->latency.count, 3 * one->latency.count);
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++)
        ck_assert_uint_eq(merged->latency.buckets[i], 3 * one->latency.buckets[i]);
    ck_assert_uint_eq(merged->interval_count, one->interval_count + 2);
    ck_assert_uint_eq(merged->processes, 3);
    ck_assert_str_eq(merged->url, one->url);
    ck_assert_str_eq(merged->host, "host0, host1, host2");
    bench_result_free(merged);
    bench_result_free(one);
    for (int i = 0; i < 3; i++)
        unlink(paths[i]);
    unlink(sum);
}
END_TEST

START_TEST(merge_refuses_results_of_different_runs) {
    char first[PATH_SIZE], other_scenario[PATH_SIZE], other_time[PATH_SIZE], no_json[PATH_SIZE];
    const struct settings settings = {0};
    struct result *later = bench_result_full("echo");
    later->began += (int64_t)later->interval_count; /* one after the other: rates are not to be added up */
    save_result(bench_result_full("echo"), first);
    save_result(bench_result_full("idle"), other_scenario);
    save_result(later, other_time);
    save("no", no_json);
    ck_assert_int_eq(merge_aside((char *[]){first}, 1, &settings), STATUS_OK);
    ck_assert_int_eq(merge_aside((char *[]){first, other_scenario}, 2, &settings), STATUS_USAGE);
    ck_assert_int_eq(merge_aside((char *[]){first, other_time}, 2, &settings), STATUS_USAGE);
    ck_assert_int_eq(merge_aside((char *[]){other_time, first}, 2, &settings), STATUS_USAGE);
    ck_assert_int_eq(merge_aside((char *[]){no_json}, 1, &settings), STATUS_USAGE);
    ck_assert_int_eq(merge_aside((char *[]){first, "/nowhere/x.json"}, 2, &settings), STATUS_USAGE);
    unlink(first);
    unlink(other_scenario);
    unlink(other_time);
    unlink(no_json);
}
END_TEST

Suite *bench_json_suite(void) {
    Suite *suite = suite_create("bench_json");
    TCase *tcase = tcase_create("bench_json");
    tcase_add_loop_test(tcase, json_result_survives_writing_and_loading, 0, 5);
    tcase_add_test(tcase, json_result_replaces_invalid_utf8);
    tcase_add_loop_test(tcase, json_result_with_wrong_member_is_refused, 0, COUNT(wrongs));
    tcase_add_test(tcase, report_load_refuses_files_without_results);
    tcase_add_test(tcase, report_load_refuses_truncated_results);
    tcase_add_test(tcase, merge_adds_up_results_exactly);
    tcase_add_test(tcase, merge_refuses_results_of_different_runs);
    suite_add_tcase(suite, tcase);
    return suite;
}
