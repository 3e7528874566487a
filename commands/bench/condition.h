/* condition.h - `--fail-if 'p99>50ms'`: compares a figure of the result with a limit. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_CONDITION_H
#define WEIR_BENCH_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

struct result;

struct condition {
    const char *text; /* as the user wrote it */
    unsigned figure;  /* index in condition.c's table */
    char comparison;  /* '<' or '>', 'l' for <=, 'g' for >= */
    double limit;     /* seconds for durations, else a plain number */
};

/* Parses conditions such as "p99>50ms", "missing>0", "rate<10000", "connected<1000" or "handshake-p99>=1s". False
 * with one line in `error` that names the alternatives. `text` must outlive the condition. */
bool condition_parse(const char *text, struct condition *condition, char *error, size_t error_size);

/* True if the result meets the condition; *value is the result's figure. A latency without any messages (NAN)
 * meets any condition on it, because a run that measured nothing has not passed. */
bool condition_crossed(const struct condition *condition, const struct result *result, double *value);

/* True if limit and value are in seconds. */
bool condition_is_duration(const struct condition *condition);

/* Writes the names of all statistics with their meanings, for --help. */
void condition_list(char *text, size_t size);

#endif
