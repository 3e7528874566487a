/* user_timer.h - implements weir_timer_start() for a server's core. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_USER_TIMER_H
#define WEIR_CORE_USER_TIMER_H

#include "server/core/core.h"

void user_timers_init(struct user_timers *timers);

/* Returns NULL if memory is out, or after user_timers_end(). */
weir_timer *user_timer_start(struct core *core, uint64_t delay_ms, uint64_t interval_ms,
                             void (*callback)(void *arg), void *arg);

/* To be called after the pool has stopped. Forgets the timers that wait, so that those whose handles were released
 * are freed. The others can still be cancelled and released. */
void user_timers_end(struct core *core);

#endif
