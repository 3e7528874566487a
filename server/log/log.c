/* log.c - see log.h. Decides by levels (log_level.c) and limits what is logged. log_line.c makes the lines,
 * log_writer.c writes them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log.h"

#include <errno.h>

#include "server/log/log_line.h"
#include "server/log/log_queue.h"
#include "server/log/log_writer.h"

/* --- Events ------------------------------------------------------------------------------------------------ */

static void log_write_event(enum log_level level, const char *event, unsigned suppressed,
                            const struct log_field *fields) {
    int error = errno;
    struct log_line line;
    log_line_make(&line, log_writer_format(), level, event, suppressed, fields);
    log_writer_take(line.bytes, line.size);
    errno = error;
}

void log_last_event(const char *event, const struct log_field *fields) {
    struct log_line line;
    log_line_make(&line, log_writer_format(), LOG_ERROR, event, 0, fields);
    log_writer_end_with(line.bytes, line.size);
}

void log_event(enum log_subsystem subsystem, enum log_level level, const char *event,
               const struct log_field *fields) {
    if (log_enabled(subsystem, level))
        log_write_event(level, event, 0, fields);
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
        log_write_event(level, event, suppressed, fields);
}
