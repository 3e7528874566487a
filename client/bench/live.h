/* live.h - what is shown on stderr while a load runs: on a terminal one line that is rewritten each second, else a
 * line every ten seconds. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LIVE_H
#define WEIR_BENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/bench/seconds.h"
#include "client/bench/settings.h"

struct live {
    const struct settings *settings;
    FILE *out; /* NULL: nothing is shown */
    bool terminal;
    unsigned seconds;  /* shown so far */
    uint64_t troubles; /* failed and dropped so far */
};

struct live live_start(const struct settings *settings);

/* A second of the run. `elapsed`: seconds since the last client was connected; negative before. */
void live_second(struct live *live, const struct second *second, double elapsed);

/* Wipes the line away. */
void live_end(struct live *live);

#endif
