/* log.c - decides by levels and limits what is logged. See log.h. log_line.c makes the lines, log_writer.c writes
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log.h"

#include <errno.h>
#include <time.h>

#include "server/log/log_line.h"
#include "server/log/log_queue.h"
#include "server/log/log_writer.h"

/* --- Levels ------------------------------------------------------------------------------------------------ */

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

/* --- Events ------------------------------------------------------------------------------------------------ */

static void make_line(struct log_line *line, enum log_level level, const char *event, unsigned suppressed,
                      const struct log_field *fields) {
    struct timespec now;
    const struct log_field left_out = LOG_COUNT("suppressed", suppressed);
    clock_gettime(CLOCK_REALTIME, &now);
    log_line_begin(line, log_writer_format(), &now, level, event);
    log_line_add(line, &left_out);
    for (; fields->name != NULL; fields++)
        log_line_add(line, fields);
    log_line_end(line);
}

static void write_event(enum log_level level, const char *event, unsigned suppressed,
                        const struct log_field *fields) {
    int error = errno;
    struct log_line line;
    make_line(&line, level, event, suppressed, fields);
    log_writer_take(line.bytes, line.size);
    errno = error;
}

void log_last_event(const char *event, const struct log_field *fields) {
    struct log_line line;
    make_line(&line, LOG_ERROR, event, 0, fields);
    log_writer_end_with(line.bytes, line.size);
}

void log_event(enum log_subsystem subsystem, enum log_level level, const char *event,
               const struct log_field *fields) {
    if (log_enabled(subsystem, level))
        write_event(level, event, 0, fields);
}

/* --- Rates ------------------------------------------------------------------------------------------------- */

enum { LIMIT_MS = 1000 };

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, unsigned *suppressed) {
    uint64_t next = limit->next_ms;
    if (now_ms < next || !atomic_compare_exchange_strong(&limit->next_ms, &next, now_ms + LIMIT_MS)) {
        limit->suppressed++;
        return false;
    }
    *suppressed = atomic_exchange(&limit->suppressed, 0);
    return true;
}

void log_event_limited(struct log_limit *limit, enum log_subsystem subsystem, enum log_level level,
                       const char *event, const struct log_field *fields) {
    unsigned suppressed;
    if (log_enabled(subsystem, level) && log_limit_pass(limit, log_now_ms(), &suppressed))
        write_event(level, event, suppressed, fields);
}
