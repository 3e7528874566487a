/* command.c - `weir bench`: runs a load against a WebSocket server, or merges or compares several results; then
 * reports.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/bench/compare.h"
#include "commands/bench/load/run.h"
#include "commands/bench/merge.h"
#include "commands/bench/report/report.h"
#include "commands/bench/settings.h"
#include "commands/commands.h"

/* True if the run succeeded, apart from the conditions. */
static bool passed(const struct result *result) {
    const struct counts *counts = &result->counts;
    return counts->connected > 0 && counts->failed == 0 && counts->dropped == 0 && result->missing == 0 &&
           result->wrong == 0 && result->out_of_order == 0 && result->unexpected == 0 && result->late == 0;
}

static int run(const struct settings *settings) {
    struct result *result = calloc(1, sizeof *result);
    bool interrupted = false;
    if (result == NULL) {
        fputs("weir bench: out of memory\n", stderr);
        return STATUS_FAILURE;
    }
    int status = bench_run(settings, result, &interrupted);
    if (status < 0) {
        status = report_all(result, settings);
        if (status == STATUS_OK && (interrupted || !passed(result)))
            status = STATUS_FAILURE;
    }
    result_release(result);
    free(result);
    return status;
}

int command_bench(int argc, char **argv) {
    struct settings settings;
    signal(SIGPIPE, SIG_IGN);
    int status = settings_parse(&settings, argc, argv);
    if (status < 0 && settings.compare)
        status = bench_compare(settings.merge, &settings);
    else if (status < 0)
        status =
            settings.merge != NULL ? bench_merge(settings.merge, settings.merge_count, &settings) : run(&settings);
    settings_release(&settings);
    return status;
}
