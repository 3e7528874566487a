/* report_json.c - writes a result as JSON, each member of the outermost object on a line of its own.
 * docs/bench-json.md describes the format; report_json_load.c reads it. If memory runs out, members are missing,
 * which loading detects.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/weir.h>

#include "commands/bench/report/report.h"
#include "commands/bench/report/report_json_layout.h"
#include "commands/bench/summary.h"

/* Writes percentiles for other readers; loading ignores them. */
static void write_percentiles(json_t *object, const struct histogram *histogram) {
    static const struct {
        const char *key;
        double percent;
    } percentiles[] = {{"p50_seconds", 50},
                       {"p90_seconds", 90},
                       {"p99_seconds", 99},
                       {"p99_9_seconds", 99.9},
                       {"p99_99_seconds", 99.99}};
    json_object_set_new(object, "mean_seconds", json_real(histogram_mean(histogram) / 1e9));
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        double value = (double)histogram_percentile(histogram, percentiles[i].percent) / 1e9;
        json_object_set_new(object, percentiles[i].key, json_real(value));
    }
}

static json_t *write_histogram(const struct histogram *histogram) {
    json_t *object = json_object(), *buckets = json_array();
    fields_write(object, report_json_histogram_fields, REPORT_JSON_HISTOGRAM_FIELDS, histogram);
    write_percentiles(object, histogram);
    for (size_t i = 0; i < HISTOGRAM_SIZE; i++)
        if (histogram->buckets[i] > 0)
            json_array_append_new(buckets, json_pack("[I, I]", (json_int_t)i, (json_int_t)histogram->buckets[i]));
    json_object_set_new(object, "buckets", buckets);
    return object;
}

static json_t *write_intervals(const struct result *result) {
    json_t *intervals = json_array();
    for (size_t i = 0; i < result->interval_count; i++) {
        json_t *object = json_object();
        fields_write(object, report_json_interval_fields, REPORT_JSON_INTERVAL_FIELDS, &result->intervals[i]);
        json_array_append_new(intervals, object);
    }
    return intervals;
}

/* Writes rates, which loading ignores, and report_json_causes. */
static void write_extras(json_t *root, const struct result *result) {
    json_t *messages = json_object_get(root, "messages"), *failures = json_object();
    json_object_set_new(messages, "sent_per_second", json_real(summary_per_second(result, SUMMARY_COUNT(sent))));
    json_object_set_new(messages, "received_per_second",
                        json_real(summary_per_second(result, SUMMARY_COUNT(received))));
    json_object_set_new(messages, "sent_bytes_per_second",
                        json_real(summary_per_second(result, SUMMARY_COUNT(sent_bytes))));
    json_object_set_new(messages, "received_bytes_per_second",
                        json_real(summary_per_second(result, SUMMARY_COUNT(received_bytes))));
    json_t *connections = json_object_get(root, "connections");
    json_object_set_new(connections, "connected_per_second", json_real(summary_handshake_rate(result)));
    for (size_t i = 0; i < WEIR_CLIENT_CAUSES; i++)
        json_object_set_new(failures, report_json_causes[i], json_integer((json_int_t)result->failures[i]));
    json_object_set_new(connections, "failures", failures);
}

static json_t *write_facts(const struct summary_line *lines, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *pair = json_array();
        json_array_append_new(pair, json_string(lines[i].label));
        json_array_append_new(pair, fields_text(lines[i].value));
        json_array_append_new(array, pair);
    }
    return array;
}

static json_t *write_count(const char *label, uint64_t count) {
    return json_pack("[s, I]", label, (json_int_t)(count < INT64_MAX ? count : INT64_MAX));
}

static json_t *write_losses(const struct result *result) {
    struct error_count error_counts[SUMMARY_MAX];
    size_t count = summary_errors(result, error_counts);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, write_count(error_counts[i].label, error_counts[i].count));
    return array;
}

static json_t *write_causes(const struct result *result) {
    json_t *array = json_array();
    for (unsigned cause = 0; cause < WEIR_CLIENT_CAUSES; cause++)
        if (result->failures[cause] > 0)
            json_array_append_new(array, write_count(result_cause_name(cause), result->failures[cause]));
    return array;
}

/* Describes the result in words, for the page; loading ignores it. */
static json_t *write_summary(const struct result *result) {
    char title[SUMMARY_LINE_SIZE], verdict[SUMMARY_VERDICT_SIZE];
    struct summary_line lines[SUMMARY_MAX];
    json_t *object = json_object();
    summary_title(result, title);
    json_object_set_new(object, "title", fields_text(title));
    json_object_set_new(object, "good", json_boolean(summary_verdict(result, verdict)));
    json_object_set_new(object, "verdict", fields_text(verdict));
    json_object_set_new(object, "warning",
                        json_string(result_tester_was_limit(result) ? summary_limit_warning : ""));
    json_object_set_new(object, "settings", write_facts(lines, summary_settings(result, lines)));
    json_object_set_new(object, "tester", write_facts(lines, summary_tester(result, lines)));
    json_object_set_new(object, "losses", write_losses(result));
    json_object_set_new(object, "causes", write_causes(result));
    return object;
}

static json_t *write_result(const struct result *result) {
    json_t *root = json_object();
    json_object_set_new(root, "format", json_integer(REPORT_JSON_FORMAT));
    fields_write(root, report_json_outer_fields, REPORT_JSON_OUTER_FIELDS, result);
    for (size_t i = 0; i < REPORT_JSON_SECTIONS; i++) {
        json_t *object = json_object();
        fields_write(object, report_json_sections[i].fields, report_json_sections[i].count, result);
        json_object_set_new(root, report_json_sections[i].key, object);
    }
    write_extras(root, result);
    json_object_set_new(root, "latency", write_histogram(&result->latency));
    json_object_set_new(root, "handshake", write_histogram(&result->handshake));
    json_object_set_new(root, "summary", write_summary(result));
    json_object_set_new(root, "intervals", write_intervals(result));
    return root;
}

void report_json(const struct result *result, FILE *out) {
    json_t *root = write_result(result), *value;
    const char *key, *separator = "{";
    json_object_foreach(root, key, value) {
        fprintf(out, "%s\"%s\":", separator, key);
        json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY);
        separator = ",\n";
    }
    fputs("}\n", out);
    json_decref(root);
}

void report_json_runs(const struct report_run *runs, size_t count, FILE *out) {
    fprintf(out, "{\"version\":\"%s\",\"runs\":[", WEIR_VERSION);
    for (size_t i = 0; i < count; i++) {
        json_t *name = fields_text(runs[i].name);
        fputs(i > 0 ? ",\n{\"name\":" : "\n{\"name\":", out);
        json_dumpf(name, out, JSON_COMPACT | JSON_ENCODE_ANY);
        fputs(",\"result\":", out);
        report_json(runs[i].result, out);
        fputs("}", out);
        json_decref(name);
    }
    fputs("]}\n", out);
}
