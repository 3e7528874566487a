/* bench_results.c - see bench_results.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/bench_results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_settings(struct result *result, const char *scenario) {
    snprintf(result->scenario, sizeof result->scenario, "%s", scenario);
    snprintf(result->expect, sizeof result->expect, "echo");
    result->url = strdup("ws://127.0.0.1:9000/<b>&\"' ws://[::1]:9000/");
    result->clients = 1000;
    result->rooms = 1;
    result->publishers = 10;
    result->window = 4;
    result->threads = 2;
    result->processes = 1;
    result->rate = strcmp(scenario, "rate") == 0 ? 0.1 + 0.2 : 0;
    result->ramp = 1e-3;
    result->duration = 10.5;
    result->warmup = 2;
    result->size_min = 16;
    result->size_max = 4096;
    result->text = true;
    result->compress = true;
    snprintf(result->host, sizeof result->host, "a host <i>");
    snprintf(result->system, sizeof result->system, "Linux");
    snprintf(result->processor, sizeof result->processor, "a & b");
    result->processors = 2;
    result->memory_bytes = 8589934592;
    result->began = 1795275123;
}

static void fill_statistics(struct result *result) {
    result->counts = (struct counts){1234567, 1234560, 24691340, 24691200, 997, 3, 2};
    result->missing = 7;
    result->out_of_order = 1;
    result->unexpected = 4;
    result->wrong = 2;
    result->late = 3;
    for (size_t i = 0; i < WEIR_CLIENT_CAUSES; i++)
        result->failures[i] = 1000000 + i;
    snprintf(result->first_error, sizeof result->first_error,
             "HTTP 403: <script>alert(\"\x1b[31mno\")</script> \xc3\xa4");
    result->seconds = 10.123456789012345;
    result->connect_seconds = 1.0 / 3;
    result->cpu_seconds = 19.7;
    result->busiest = 0.97;
    result->resident_bytes = 12345678;
    for (uint64_t i = 0; i < 5000; i++)
        histogram_record(&result->latency, 41000 + i * i * 7);
    histogram_record(&result->latency, 0);
    histogram_record(&result->latency, UINT64_C(7000000000000)); /* beyond the last bucket */
    for (uint64_t i = 0; i < 997; i++)
        histogram_record(&result->handshake, 100000 + i * 1001);
}

struct result *bench_result_full(const char *scenario) {
    enum { INTERVALS = 20 };
    struct result *result = calloc(1, sizeof *result);
    fill_settings(result, scenario);
    fill_statistics(result);
    result->interval_count = INTERVALS;
    result->intervals = calloc(INTERVALS, sizeof *result->intervals);
    for (size_t i = 0; i < INTERVALS; i++)
        result->intervals[i] = (struct interval){.counts = {100 + i, 99 + i, 2000, 1999, 50, i, i / 2},
                                                 .open = 1000 - i,
                                                 .p50 = 15 * (i + 1), /* as seconds and back it needs rounding */
                                                 .p99 = 123456789 + i,
                                                 .maximum = i == 7 ? 0 : 987654321,
                                                 .measuring = i > 3};
    return result;
}

struct result *bench_result_refused(void) {
    struct result *result = calloc(1, sizeof *result);
    fill_settings(result, "echo");
    result->counts.failed = 1000;
    result->failures[WEIR_CLIENT_REFUSED] = 1000;
    result_explain(result, "ws://127.0.0.1:9000/: connection refused");
    return result;
}

void bench_result_free(struct result *result) {
    result_release(result);
    free(result);
}
