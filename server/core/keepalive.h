/* keepalive.h - what is due for a connection on which nothing happens: a ping, its end, or nothing until a moment
 * that follows from the settings. Pure functions of the settings, the state and the time: no clock, no locks.
 * conn_keepalive.c does what they say.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_KEEPALIVE_H
#define WEIR_CORE_KEEPALIVE_H

#include "server/core/settings.h"

enum { KEEPALIVE_NEVER = 0 }; /* a moment that is not there */

/* Moments in milliseconds. */
struct keepalive {
    uint64_t ping_due_at;     /* when the next ping is due */
    uint64_t pinged_at;       /* when the ping was sent that still waits for traffic, or KEEPALIVE_NEVER */
    uint64_t message_at;      /* the last message in either direction */
    uint64_t stuck_at;        /* when a write found no room at all; KEEPALIVE_NEVER: the last write found some */
    uint64_t throttled_until; /* reading is paused by a rate, or KEEPALIVE_NEVER */
};

enum keepalive_due {
    KEEPALIVE_NOTHING,
    KEEPALIVE_SEND_TIMEOUT, /* the client has taken nothing for send_timeout, unless the kernel has sent some of it
                             */
    KEEPALIVE_PING_TIMEOUT, /* the ping was not answered in time, unless it still waits after data */
    KEEPALIVE_PING,
    KEEPALIVE_IDLE /* no message has passed for idle_timeout */
};

enum { KEEPALIVE_KINDS = KEEPALIVE_IDLE };

/* What is due now, the most urgent first. Call it again after it has been done. */
enum keepalive_due keepalive_due(const struct keepalive *state, const struct settings *settings, uint64_t now);

/* When to look again if nothing is due; UINT64_MAX: there is no need. */
uint64_t keepalive_next(const struct keepalive *state, const struct settings *settings, uint64_t now);

/* Whether the client has been stuck for `timeout`; 0: there is no timeout. */
bool keepalive_is_stuck(const struct keepalive *state, uint64_t timeout, uint64_t now);

#endif
