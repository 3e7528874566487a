/* settings.h - what the configuration says about every connection: limits, timeouts, rates. Settings never change;
 * a reload makes others current. All stay until the server has ended. So a thread that looks twice may see two
 * different sets.
 *
 * The option table (server/config/options.c) fills and compares this struct. A new limit is a field here and a row
 * there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_SETTINGS_H
#define WEIR_CORE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "ws/decoder.h"

/* What happens to a client that exceeds its rate: it is read no faster, or closed with 1008. */
enum rate_policy { RATE_PAUSE, RATE_CLOSE };

struct settings {
    struct decoder_limits limits;
    size_t compression_threshold; /* bytes; smaller payloads are sent uncompressed */
    size_t inbox_size;            /* bytes that may wait for a handler before reading pauses */
    size_t send_buffer_soft;      /* bytes of replies that may wait before reading pauses */
    size_t send_buffer_hard;      /* bytes that may wait before slow_consumer applies */
    uint64_t send_timeout_ms;     /* 0: no timeout */
    unsigned message_rate;        /* messages, pings and pongs per second; 0: no limit */
    size_t byte_rate;             /* bytes per second; 0: no limit */
    enum rate_policy rate_policy;
    uint64_t close_timeout_ms;
    uint64_t ping_interval_ms; /* 0: no pings */
    uint64_t ping_timeout_ms;
    uint64_t idle_timeout_ms; /* 0: no timeout */
};

#endif
