/* report_json_load.c - reads the JSON of report_json() into a result. It is strict: everything that merging needs
 * must be present and plausible. It ignores values derived from it (rates, percentiles) and unknown members.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/report/report.h"
#include "commands/bench/report/report_json_layout.h"

static bool load_format(struct loading *loading, const json_t *root) {
    if (!json_is_object(root))
        return loading_fail(loading, "this is not a result of weir bench: not an object");
    const json_t *format = loading_member(loading, root, "", "format", JSON_INTEGER);
    if (format == NULL)
        return false;
    if (json_integer_value(format) != REPORT_JSON_FORMAT)
        return loading_fail(loading, "format %" JSON_INTEGER_FORMAT " is not known; this weir reads format %d",
                            json_integer_value(format), REPORT_JSON_FORMAT);
    return true;
}

static bool load_sections(struct loading *loading, const json_t *root, struct result *result) {
    if (!fields_read(loading, root, "", report_json_outer_fields, REPORT_JSON_OUTER_FIELDS, result))
        return false;
    for (size_t i = 0; i < REPORT_JSON_SECTIONS; i++) {
        const struct section *section = &report_json_sections[i];
        const json_t *object = loading_member(loading, root, "", section->key, JSON_OBJECT);
        if (object == NULL || !fields_read(loading, object, section->key, section->fields, section->count, result))
            return false;
    }
    return true;
}

static bool load_failures(struct loading *loading, const json_t *root, struct result *result) {
    static const char place[] = "connections.failures";
    const json_t *connections = json_object_get(root, "connections");
    const json_t *failures = loading_member(loading, connections, "connections", "failures", JSON_OBJECT);
    for (size_t i = 0; failures != NULL && i < WEIR_CLIENT_CAUSES; i++) {
        const struct field field = {report_json_causes[i], FIELD_COUNT, 0, 0};
        if (!fields_read(loading, failures, place, &field, 1, &result->failures[i]))
            return false;
    }
    return failures != NULL;
}

/* --- Histograms -------------------------------------------------------------------------------------------- */

/* Loads one [bucket, count]. Returns NULL, or else what is wrong with it. */
static const char *load_bucket(const json_t *pair, struct histogram *histogram) {
    const json_t *bucket = json_array_get(pair, 0), *count = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_integer(bucket) || !json_is_integer(count))
        return "is not [bucket, count]";
    if (json_integer_value(bucket) < 0 || json_integer_value(bucket) >= HISTOGRAM_SIZE)
        return "has a bucket that is out of range";
    if (json_integer_value(count) <= 0)
        return "has a count that is not positive";
    uint64_t *place = &histogram->buckets[json_integer_value(bucket)];
    if (*place != 0)
        return "has a bucket that was there before";
    *place = (uint64_t)json_integer_value(count);
    return NULL;
}

static bool load_buckets(struct loading *loading, const json_t *object, const char *key,
                         struct histogram *histogram) {
    const json_t *buckets = loading_member(loading, object, key, "buckets", JSON_ARRAY);
    if (buckets == NULL)
        return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < json_array_size(buckets); i++) {
        const json_t *pair = json_array_get(buckets, i);
        const char *wrong = load_bucket(pair, histogram);
        if (wrong != NULL)
            return loading_fail(loading, "%s.buckets[%zu] %s", key, i, wrong);
        sum += (uint64_t)json_integer_value(json_array_get(pair, 1));
        if (sum > INT64_MAX)
            break;
    }
    return sum == histogram->count || loading_fail(loading, "%s.count is not the sum of its buckets", key);
}

static bool load_histogram(struct loading *loading, const json_t *root, const char *key,
                           struct histogram *histogram) {
    const json_t *object = loading_member(loading, root, "", key, JSON_OBJECT);
    if (object == NULL ||
        !fields_read(loading, object, key, report_json_histogram_fields, REPORT_JSON_HISTOGRAM_FIELDS, histogram))
        return false;
    if (histogram->minimum > histogram->maximum)
        return loading_fail(loading, "%s.minimum_seconds is above its maximum_seconds", key);
    return load_buckets(loading, object, key, histogram);
}

/* --- Intervals --------------------------------------------------------------------------------------------- */

static bool load_intervals(struct loading *loading, const json_t *root, struct result *result) {
    const json_t *intervals = loading_member(loading, root, "", "intervals", JSON_ARRAY);
    if (intervals == NULL)
        return false;
    size_t count = json_array_size(intervals);
    result->intervals = calloc(count > 0 ? count : 1, sizeof *result->intervals);
    if (result->intervals == NULL)
        return loading_fail(loading, "too much for the memory that is left");
    result->interval_count = count;
    for (size_t i = 0; i < count; i++) {
        char place[48];
        snprintf(place, sizeof place, "intervals[%zu]", i);
        const json_t *object = json_array_get(intervals, i);
        if (!json_is_object(object))
            return loading_fail(loading, "%s is not an object", place);
        if (!fields_read(loading, object, place, report_json_interval_fields, REPORT_JSON_INTERVAL_FIELDS,
                         &result->intervals[i]))
            return false;
    }
    return true;
}

/* --- Files ------------------------------------------------------------------------------------------------- */

static json_t *parse_file(struct loading *loading) {
    FILE *file = fopen(loading->name, "re");
    if (file == NULL) {
        loading_fail(loading, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    json_error_t error;
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && ferror(file))
        loading_fail(loading, "cannot be read: %s", strerror(errno));
    else if (root == NULL)
        loading_fail(loading, "not JSON: line %d: %s", error.line, error.text);
    fclose(file);
    return root;
}

bool report_load(const char *path, struct result *result, char *error, size_t error_size) {
    struct loading loading = {.name = path, .error = error, .error_size = error_size};
    memset(result, 0, sizeof *result);
    json_t *root = parse_file(&loading);
    bool loaded =
        root != NULL && load_format(&loading, root) && load_sections(&loading, root, result) &&
        load_failures(&loading, root, result) && load_histogram(&loading, root, "latency", &result->latency) &&
        load_histogram(&loading, root, "handshake", &result->handshake) && load_intervals(&loading, root, result);
    json_decref(root);
    if (!loaded)
        result_release(result);
    return loaded;
}
