/* terms.h - what the configuration says about every connection: limits, timeouts, rates. Never changes; a reload
 * puts another in its place, and both stay until the server has ended, so who looks twice may see two different
 * ones.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_TERMS_H
#define WEIR_CORE_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/proto/decoder.h"

struct terms {
    struct decoder_limits limits;
    uint32_t compression_threshold; /* payloads below it go plain */
    size_t inbox_size;              /* bytes that may wait for a handler before reading stops */
    size_t send_buffer_soft;        /* bytes of replies that may wait before reading stops */
    size_t send_buffer_hard;        /* bytes that may wait before slow_consumer says what happens */
    uint64_t send_timeout_ms;       /* 0: none */
    uint64_t message_rate;          /* messages, pings and pongs a second; 0: any number */
    uint64_t byte_rate;             /* likewise */
    bool rate_closes;               /* a client beyond its rate is closed, not paused */
    uint64_t close_timeout_ms;
    uint64_t ping_interval_ms; /* 0: no pings */
    uint64_t ping_timeout_ms;
    uint64_t idle_timeout_ms; /* 0: none */
};

#endif
