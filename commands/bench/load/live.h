/* live.h - progress on stderr while a load runs: on a terminal, one line that is rewritten each second; otherwise
 * a line every ten seconds. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_LIVE_H
#define WEIR_BENCH_LOAD_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "commands/bench/seconds.h"
#include "commands/bench/settings.h"

struct live {
    const struct settings *settings;
    FILE *out; /* NULL: nothing is shown */
    bool terminal;
    unsigned seconds;      /* shown so far */
    uint64_t error_counts; /* failed and dropped connections so far */
};

struct live live_start(const struct settings *settings);

/* Shows a second of the run. `elapsed` is in seconds since the last client was connected; negative before that. */
void live_second(struct live *live, const struct second *second, double elapsed);

/* Erases the line. */
void live_end(struct live *live);

#endif
