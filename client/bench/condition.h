/* condition.h - `--fail-if 'p99>50ms'`: a figure of the result compared with a limit. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_CONDITION_H
#define WEIR_BENCH_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

struct result;

struct condition {
    const char *text; /* as it was written */
    unsigned figure;  /* which, see condition.c's table */
    char comparison;  /* '<' or '>', 'l' for <=, 'g' for >= */
    double limit;     /* seconds for durations, else a plain number */
};

/* "p99>50ms", "missing>0", "rate<10000", "connected<1000", "handshake-p99>=1s". False with one line in `error` that
 * names what there is. `text` has to outlive the condition. */
bool condition_parse(const char *text, struct condition *condition, char *error, size_t error_size);

/* True if the result crosses it; *value is what the result has. A latency of no messages at all (NAN) crosses
 * any condition on it: a run that measured nothing has not passed. */
bool condition_crossed(const struct condition *condition, const struct result *result, double *value);

/* True if limit and value are seconds. */
bool condition_is_duration(const struct condition *condition);

/* The names of all figures with their meaning, for --help. */
void condition_list(char *text, size_t size);

#endif
