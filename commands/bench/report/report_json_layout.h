/* report_json_layout.h - assigns members of a result to JSON keys, for both writing and loading.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_JSON_LAYOUT_H
#define WEIR_BENCH_REPORT_REPORT_JSON_LAYOUT_H

#include "commands/bench/report/report_json_fields.h"
#include "commands/bench/result.h"

enum {
    REPORT_JSON_FORMAT = 1, /* a file with another number has another format, and is not read */
    REPORT_JSON_OUTER_FIELDS = 2,
    REPORT_JSON_INTERVAL_FIELDS = 12,
    REPORT_JSON_HISTOGRAM_FIELDS = 4,
    REPORT_JSON_SECTIONS = 5
};

extern const struct field report_json_outer_fields[REPORT_JSON_OUTER_FIELDS];
extern const struct field report_json_interval_fields[REPORT_JSON_INTERVAL_FIELDS];
extern const struct field report_json_histogram_fields[REPORT_JSON_HISTOGRAM_FIELDS];

/* An object that consists only of members of struct result. */
struct section {
    const char *key;
    const struct field *fields;
    size_t count;
};
extern const struct section report_json_sections[REPORT_JSON_SECTIONS];

/* The keys of failures[], indexed by cause. */
extern const char *const report_json_causes[WEIR_CLIENT_CAUSES];

#endif
