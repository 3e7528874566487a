/* compare.c - see compare.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/bench/report/report.h"
#include "commands/commands.h"

/* Returns true if both runs have the same statistics; otherwise prints why they cannot be compared. */
static bool compare_allowed(const struct result *one, const struct result *other, char *const paths[2]) {
    if (strcmp(one->scenario, other->scenario) != 0)
        fprintf(stderr, "weir bench: %s is a run of %s, %s one of %s: they cannot be compared\n", paths[0],
                one->scenario, paths[1], other->scenario);
    else if (strcmp(one->expect, other->expect) != 0)
        fprintf(stderr, "weir bench: %s expects %s, %s %s: they cannot be compared\n", paths[0], one->expect,
                paths[1], other->expect);
    else
        return true;
    return false;
}

/* Loads the files. On an error, prints it, and releases what was loaded. */
static bool compare_load(struct result results[2], char *const paths[2]) {
    char error[512];
    for (int i = 0; i < 2; i++)
        if (!report_load(paths[i], &results[i], error, sizeof error)) {
            fprintf(stderr, "weir bench: %s\n", error);
            if (i > 0)
                result_release(&results[0]);
            return false;
        }
    return true;
}

int bench_compare(char *const paths[2], const struct settings *settings) {
    struct result *results = calloc(2, sizeof *results);
    if (results == NULL) {
        fprintf(stderr, "weir bench: out of memory\n");
        return STATUS_FAILURE;
    }
    int status = STATUS_USAGE;
    if (compare_load(results, paths)) {
        const struct report_run runs[2] = {{paths[0], &results[0]}, {paths[1], &results[1]}};
        if (compare_allowed(&results[0], &results[1], paths))
            status = report_comparison(runs, settings->html_path);
        result_release(&results[0]);
        result_release(&results[1]);
    }
    free(results);
    return status;
}
