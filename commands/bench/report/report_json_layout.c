/* report_json_layout.c - see report_json_layout.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/report/report_json_layout.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
#define IN_RESULT(type, key, member) {key, type, offsetof(struct result, member), sizeof(((struct result *)0)->member)}
#define IN_INTERVAL(type, key, member) {key, type, offsetof(struct interval, member), 0}
#define IN_HISTOGRAM(type, key, member) {key, type, offsetof(struct histogram, member), 0}

static const struct field settings_fields[] = {
    IN_RESULT(FIELD_TEXT,  "scenario", scenario),
    IN_RESULT(FIELD_TEXT,  "expect", expect),
    IN_RESULT(FIELD_HEAP,  "url", url),
    IN_RESULT(FIELD_SMALL, "clients", clients),
    IN_RESULT(FIELD_SMALL, "rooms", rooms),
    IN_RESULT(FIELD_SMALL, "publishers", publishers),
    IN_RESULT(FIELD_SMALL, "window", window),
    IN_RESULT(FIELD_SMALL, "threads", threads),
    IN_RESULT(FIELD_SMALL, "processes", processes),
    IN_RESULT(FIELD_REAL,  "rate_per_second", rate),
    IN_RESULT(FIELD_REAL,  "ramp_per_second", ramp),
    IN_RESULT(FIELD_REAL,  "duration_seconds", duration),
    IN_RESULT(FIELD_REAL,  "warmup_seconds", warmup),
    IN_RESULT(FIELD_COUNT, "size_min_bytes", size_min),
    IN_RESULT(FIELD_COUNT, "size_max_bytes", size_max),
    IN_RESULT(FIELD_TRUTH, "text", text),
    IN_RESULT(FIELD_TRUTH, "compress", compress),
};

static const struct field host_fields[] = {
    IN_RESULT(FIELD_TEXT,  "name", host),
    IN_RESULT(FIELD_TEXT,  "system", system),
    IN_RESULT(FIELD_TEXT,  "processor", processor),
    IN_RESULT(FIELD_SMALL, "processors", processors),
    IN_RESULT(FIELD_COUNT, "memory_bytes", memory_bytes),
};

static const struct field tester_fields[] = {
    IN_RESULT(FIELD_REAL,  "cpu_seconds", cpu_seconds),
    IN_RESULT(FIELD_REAL,  "busiest_thread_share", busiest),
    IN_RESULT(FIELD_COUNT, "resident_bytes", resident_bytes),
};

static const struct field connections_fields[] = {
    IN_RESULT(FIELD_COUNT, "connected", counts.connected),
    IN_RESULT(FIELD_COUNT, "failed", counts.failed),
    IN_RESULT(FIELD_COUNT, "dropped", counts.dropped),
    IN_RESULT(FIELD_REAL,  "connect_seconds", connect_seconds),
    IN_RESULT(FIELD_TEXT,  "first_error", first_error),
};

static const struct field messages_fields[] = {
    IN_RESULT(FIELD_COUNT, "sent", counts.sent),
    IN_RESULT(FIELD_COUNT, "received", counts.received),
    IN_RESULT(FIELD_COUNT, "sent_bytes", counts.sent_bytes),
    IN_RESULT(FIELD_COUNT, "received_bytes", counts.received_bytes),
    IN_RESULT(FIELD_COUNT, "missing", missing),
    IN_RESULT(FIELD_COUNT, "out_of_order", out_of_order),
    IN_RESULT(FIELD_COUNT, "unexpected", unexpected),
    IN_RESULT(FIELD_COUNT, "wrong", wrong),
    IN_RESULT(FIELD_COUNT, "late", late),
};

const struct field report_json_outer_fields[REPORT_JSON_OUTER_FIELDS] = {
    IN_RESULT(FIELD_TIME, "began_unix_seconds", began),
    IN_RESULT(FIELD_REAL, "measured_seconds", seconds),
};

const struct field report_json_interval_fields[REPORT_JSON_INTERVAL_FIELDS] = {
    IN_INTERVAL(FIELD_COUNT,   "sent", counts.sent),
    IN_INTERVAL(FIELD_COUNT,   "received", counts.received),
    IN_INTERVAL(FIELD_COUNT,   "sent_bytes", counts.sent_bytes),
    IN_INTERVAL(FIELD_COUNT,   "received_bytes", counts.received_bytes),
    IN_INTERVAL(FIELD_COUNT,   "connected", counts.connected),
    IN_INTERVAL(FIELD_COUNT,   "failed", counts.failed),
    IN_INTERVAL(FIELD_COUNT,   "dropped", counts.dropped),
    IN_INTERVAL(FIELD_COUNT,   "open", open),
    IN_INTERVAL(FIELD_SECONDS, "p50_seconds", p50),
    IN_INTERVAL(FIELD_SECONDS, "p99_seconds", p99),
    IN_INTERVAL(FIELD_SECONDS, "maximum_seconds", maximum),
    IN_INTERVAL(FIELD_TRUTH,   "measuring", measuring),
};

const struct field report_json_histogram_fields[REPORT_JSON_HISTOGRAM_FIELDS] = {
    IN_HISTOGRAM(FIELD_COUNT,   "count", count),
    IN_HISTOGRAM(FIELD_SECONDS, "minimum_seconds", minimum),
    IN_HISTOGRAM(FIELD_SECONDS, "maximum_seconds", maximum),
    IN_HISTOGRAM(FIELD_REAL,    "sum_nanoseconds", sum),
};

/* The objects that consist only of members of struct result. */
const struct section report_json_sections[REPORT_JSON_SECTIONS] = {
    {"settings",    settings_fields,    COUNT(settings_fields)},
    {"host",        host_fields,        COUNT(host_fields)},
    {"tester",      tester_fields,      COUNT(tester_fields)},
    {"connections", connections_fields, COUNT(connections_fields)},
    {"messages",    messages_fields,    COUNT(messages_fields)},
};

/* Causes, named as in enum weir_client_cause. */
const char *const report_json_causes[WEIR_CLIENT_CAUSES] = {
    [WEIR_CLIENT_NO_ERROR] = "no_error",         [WEIR_CLIENT_BAD_ARGUMENT] = "bad_argument",
    [WEIR_CLIENT_NO_TLS] = "no_tls",             [WEIR_CLIENT_UNKNOWN_HOST] = "unknown_host",
    [WEIR_CLIENT_REFUSED] = "refused",           [WEIR_CLIENT_UNREACHABLE] = "unreachable",
    [WEIR_CLIENT_TIMED_OUT] = "timed_out",       [WEIR_CLIENT_HTTP] = "http",
    [WEIR_CLIENT_HANDSHAKE] = "handshake",       [WEIR_CLIENT_LOST] = "lost",
    [WEIR_CLIENT_PROTOCOL] = "protocol",         [WEIR_CLIENT_TOO_BIG] = "too_big",
    [WEIR_CLIENT_NO_MEMORY] = "no_memory",
};
/* clang-format on */
