/* counters.h - what a server has counted since it began to run. Any thread adds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_COUNTERS_H
#define WEIR_CORE_COUNTERS_H

#include "pool/striped.h"

struct counters {
    struct striped handled;             /* messages that a handler was called with */
    struct striped dropped;             /* messages that slow_consumer has dropped */
    _Atomic uint64_t slow_disconnected; /* clients closed with 1013 beyond send_buffer_hard */
    _Atomic uint64_t memory_shed;       /* clients closed with 1013 beyond memory_limit */
    _Atomic uint64_t send_timed_out;    /* clients cut off by send_timeout */
    _Atomic uint64_t rate_limited;      /* clients closed with 1008 by rate_policy */
    _Atomic uint64_t half_open_closed;  /* requests cut off because they were not finished */
};

#endif
