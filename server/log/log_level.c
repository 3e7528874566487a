/* log_level.c - the level of each subsystem. See log.h. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log.h"

static _Atomic enum log_level thresholds[LOG_SUBSYSTEMS] = {LOG_INFO, LOG_INFO, LOG_INFO, LOG_INFO};
_Static_assert(LOG_SUBSYSTEMS == 4, "each begins with a threshold");

void log_set_level(enum log_level level) {
    for (int subsystem = 0; subsystem < LOG_SUBSYSTEMS; subsystem++)
        log_set_subsystem_level((enum log_subsystem)subsystem, level);
}

void log_set_subsystem_level(enum log_subsystem subsystem, enum log_level level) {
    atomic_store_explicit(&thresholds[subsystem], level, memory_order_relaxed);
}

bool log_enabled(enum log_subsystem subsystem, enum log_level level) {
    return level <= atomic_load_explicit(&thresholds[subsystem], memory_order_relaxed);
}
