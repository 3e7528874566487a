/* descriptors.c - see descriptors.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/descriptors.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    OTHERS_MAX = 256,     /* for the rest of the process: listeners, logs, what handlers open */
    CONNECTIONS_MIN = 16, /* fewer are not worth starting for */
};

static unsigned raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > INT_MAX ? INT_MAX : (unsigned)limit.rlim_cur;
}

int descriptors_plan(unsigned http_threads, unsigned connection_queue, unsigned listeners,
                     unsigned wanted_connections, struct descriptor_plan *plan, char *error, size_t error_size) {
    unsigned limit = raise_limit();
    unsigned others = limit / 4 < OTHERS_MAX ? limit / 4 : OTHERS_MAX;
    unsigned base = http_threads + connection_queue + others;
    unsigned watcher = 1 + listeners;
    if (limit < base + watcher + CONNECTIONS_MIN) {
        snprintf(error, error_size,
                 "the descriptor limit of %u is too low: http_threads and connection_queue need %u and each client "
                 "one; raise it (ulimit -n) or lower these",
                 limit, base + watcher);
        return -1;
    }
    unsigned room = limit - base - watcher;
    bool wants_less = wanted_connections != 0 && wanted_connections < room;
    *plan = (struct descriptor_plan){limit, base, wants_less ? wanted_connections : room};
    return 0;
}
