/* report_json.c - writes a result as JSON, each member of the outermost object on a line of its own.
 * docs/bench-json.md describes the format; report_json_load.c reads it. If memory runs out, members are missing,
 * which loading detects.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/facts.h"
#include "commands/bench/report/report.h"
#include "commands/bench/report/report_json_layout.h"

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
    json_object_set_new(messages, "sent_per_second", json_real(facts_per_second(result, FACTS_COUNT(sent))));
    json_object_set_new(messages, "received_per_second",
                        json_real(facts_per_second(result, FACTS_COUNT(received))));
    json_object_set_new(messages, "sent_bytes_per_second",
                        json_real(facts_per_second(result, FACTS_COUNT(sent_bytes))));
    json_object_set_new(messages, "received_bytes_per_second",
                        json_real(facts_per_second(result, FACTS_COUNT(received_bytes))));
    json_t *connections = json_object_get(root, "connections");
    json_object_set_new(connections, "connected_per_second", json_real(facts_handshake_rate(result)));
    for (size_t i = 0; i < WEIR_CLIENT_CAUSES; i++)
        json_object_set_new(failures, report_json_causes[i], json_integer((json_int_t)result->failures[i]));
    json_object_set_new(connections, "failures", failures);
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
