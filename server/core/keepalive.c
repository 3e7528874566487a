/* keepalive.c - see keepalive.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/keepalive.h"

bool keepalive_is_stuck(const struct keepalive *state, uint64_t timeout, uint64_t now) {
    return timeout != 0 && state->stuck_at != KEEPALIVE_NEVER && now >= state->stuck_at + timeout;
}

enum keepalive_due keepalive_due(const struct keepalive *state, const struct settings *settings, uint64_t now) {
    if (keepalive_is_stuck(state, settings->send_timeout_ms, now))
        return KEEPALIVE_SEND_TIMEOUT;
    bool pings = settings->ping_interval_ms != 0, waits = state->pinged_at != KEEPALIVE_NEVER;
    if (pings && waits && now >= state->pinged_at + settings->ping_timeout_ms)
        return KEEPALIVE_PING_TIMEOUT;
    if (pings && !waits && now >= state->ping_due_at)
        return KEEPALIVE_PING;
    if (settings->idle_timeout_ms != 0 && now >= state->message_at + settings->idle_timeout_ms)
        return KEEPALIVE_IDLE;
    return KEEPALIVE_NOTHING;
}

static uint64_t keepalive_earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t keepalive_next(const struct keepalive *state, const struct settings *settings, uint64_t now) {
    uint64_t next = UINT64_MAX;
    if (settings->ping_interval_ms != 0 && (state->pinged_at == KEEPALIVE_NEVER || state->ping_due_at > now))
        next = state->ping_due_at;
    if (state->pinged_at != KEEPALIVE_NEVER)
        next = keepalive_earlier(next, state->pinged_at + settings->ping_timeout_ms);
    if (settings->idle_timeout_ms != 0)
        next = keepalive_earlier(next, state->message_at + settings->idle_timeout_ms);
    if (settings->send_timeout_ms != 0)
        next = keepalive_earlier(next, (state->stuck_at == KEEPALIVE_NEVER ? now : state->stuck_at) +
                                           settings->send_timeout_ms);
    if (state->throttled_until > now)
        next = keepalive_earlier(next, state->throttled_until);
    return next;
}
