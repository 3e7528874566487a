/* descriptors.c - see descriptors.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/descriptors.h"

#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    OTHERS_MAX = 256,     /* for the rest of the process: logs, files that handlers open */
    QUEUE_PART = 8,       /* accepted clients that wait for a thread may have an eighth of the limit */
    CONNECTIONS_MIN = 16, /* with fewer, the server does not start */
};

static unsigned lesser(unsigned a, unsigned b) {
    return a < b ? a : b;
}

static unsigned raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > INT_MAX ? INT_MAX : (unsigned)limit.rlim_cur;
}

int descriptors_plan(unsigned http, unsigned connection_queue, unsigned listeners, unsigned wanted_connections,
                     struct descriptor_plan *plan, char *error, size_t error_size) {
    unsigned limit = raise_limit();
    unsigned others = lesser(limit / 4, OTHERS_MAX), queue = lesser(limit / QUEUE_PART, connection_queue);
    unsigned base = http + queue + others;
    if (limit < base + listeners + CONNECTIONS_MIN) {
        snprintf(error, error_size,
                 "the descriptor limit of %u is too low: the HTTP side needs %u and each client one; raise it "
                 "(ulimit -n) or lower http_threads",
                 limit, base + listeners);
        return -1;
    }
    unsigned room = limit - base - listeners;
    *plan = (struct descriptor_plan){limit, base, wanted_connections == 0 ? room : lesser(wanted_connections, room),
                                     queue};
    return 0;
}
