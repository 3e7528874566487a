/* merge.c - see merge.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/report/report.h"
#include "commands/bench/result.h"
#include "commands/commands.h"

/* The clocks of two machines, or two manual starts, may differ by this many seconds. */
enum { SLACK = 2 };

struct span {
    int64_t begin, end;
};

/* Returns the span from the first measured second to the last; of all seconds if none was measured. */
static struct span measured(const struct result *result) {
    struct span span = {result->began, result->began};
    bool found = false;
    for (size_t i = 0; i < result->interval_count; i++)
        if (result->intervals[i].measuring) {
            span.begin = found ? span.begin : result->began + (int64_t)i;
            span.end = result->began + (int64_t)i + 1;
            found = true;
        }
    return found ? span : (struct span){result->began, result->began + (int64_t)result->interval_count};
}

/* Rates are added up, so at least half of the shorter run must lie within the other one. */
static bool at_the_same_time(const struct result *one, const struct result *other) {
    struct span a = measured(one), b = measured(other);
    int64_t common = (a.end < b.end ? a.end : b.end) - (a.begin > b.begin ? a.begin : b.begin);
    int64_t shorter = a.end - a.begin < b.end - b.begin ? a.end - a.begin : b.end - b.begin;
    return 2 * (common + SLACK) >= shorter;
}

/* True if the sum of both would be meaningful; otherwise prints why not. */
static bool may_add(const struct result *total, const struct result *next, const char *first, const char *path) {
    if (strcmp(total->scenario, next->scenario) != 0)
        fprintf(stderr, "weir bench: %s is a run of %s, %s one of %s: they cannot be merged\n", first,
                total->scenario, path, next->scenario);
    else if (strcmp(total->expect, next->expect) != 0)
        fprintf(stderr, "weir bench: %s expects %s, %s %s: they cannot be merged\n", first, total->expect, path,
                next->expect);
    else if (!at_the_same_time(total, next))
        fprintf(stderr, "weir bench: %s and %s did not run at the same time: they cannot be merged\n", first, path);
    else
        return true;
    return false;
}

/* Returns STATUS_OK, or the exit status after printing the error. */
static int add_file(struct result *total, struct result *next, const char *first, const char *path) {
    char error[512];
    if (!report_load(path, next, error, sizeof error)) {
        fprintf(stderr, "weir bench: %s\n", error);
        return STATUS_USAGE;
    }
    int status = STATUS_OK;
    if (path != first && !may_add(total, next, first, path))
        status = STATUS_USAGE;
    else if (!result_add(total, next)) {
        fprintf(stderr, "weir bench: out of memory\n");
        status = STATUS_FAILURE;
    }
    result_release(next);
    return status;
}

int bench_merge(char *const *paths, unsigned count, const struct settings *settings) {
    struct result *results = calloc(2, sizeof *results);
    if (results == NULL) {
        fprintf(stderr, "weir bench: out of memory\n");
        return STATUS_FAILURE;
    }
    int status = STATUS_OK;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++)
        status = add_file(&results[0], &results[1], paths[0], paths[i]);
    if (status == STATUS_OK)
        status = report_all(&results[0], settings);
    result_release(&results[0]);
    free(results);
    return status;
}
