/* settings.h - what the configuration says about every connection: limits, timeouts, rates. Settings never change;
 * a reload makes others current. All stay until the server has ended. So a thread that looks twice may see two
 * different sets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_SETTINGS_H
#define WEIR_CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ws/decoder.h"

struct settings {
    struct decoder_limits limits;
    uint32_t compression_threshold; /* smaller payloads go plain */
    size_t inbox_size;              /* bytes that may wait for a handler before reading stops */
    size_t send_buffer_soft;        /* bytes of replies that may wait before reading stops */
    size_t send_buffer_hard;        /* bytes that may wait before slow_consumer applies */
    uint64_t send_timeout_ms;       /* 0: no timeout */
    uint64_t message_rate;          /* messages, pings and pongs per second; 0: no limit */
    uint64_t byte_rate;             /* bytes per second; 0: no limit */
    bool rate_closes;               /* a client that exceeds its rate is closed; otherwise it is paused */
    uint64_t close_timeout_ms;
    uint64_t ping_interval_ms; /* 0: no pings */
    uint64_t ping_timeout_ms;
    uint64_t idle_timeout_ms; /* 0: no timeout */
};

#endif
