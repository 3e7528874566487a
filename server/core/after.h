/* after.h - implements weir_timer_start() for a server's core. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_AFTER_H
#define WEIR_CORE_AFTER_H

#include "server/core/core.h"

weir_timer *after_start(struct core *core, uint64_t delay_ms, void (*callback)(void *arg), void *arg);

#endif
