/* log_line.h - builds one line of the log field by field, in either format. Pure functions on the caller's memory.
 *
 *     time=2026-03-01T12:00:00.000Z level=info event=close conn=7 reason="two words"
 *     {"time":"2026-03-01T12:00:00.000Z","level":"info","event":"close","conn":7,"reason":"two words"}
 *
 * A line is always complete: a text that is too long is cut, and a field that does not fit is left out. A last
 * field, `truncated`, says so.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_LINE_H
#define WEIR_LOG_LOG_LINE_H

#include <limits.h>
#include <time.h>

#include "server/log/log.h"

enum { LOG_LINE_MAX = PIPE_BUF }; /* with its newline; a pipe takes this much in one piece */

struct log_line {
    enum log_format format;
    bool truncated;
    size_t size;
    char bytes[LOG_LINE_MAX];
};

/* Begins a line with its time (CLOCK_REALTIME), level and event. */
void log_line_begin(struct log_line *line, enum log_format format, const struct timespec *time,
                    enum log_level level, const char *event);

/* Adds a field. Its name is a constant of this program, and is written without escapes. */
void log_line_add(struct log_line *line, const struct log_field *field);

/* Ends a line, with `truncated` if anything was cut or left out, and with a newline. */
void log_line_end(struct log_line *line);

/* Makes a whole line with the present time. `suppressed` is the number of lines that a limit left out before it; 0:
 * none. */
void log_line_make(struct log_line *line, enum log_format format, enum log_level level, const char *event,
                   unsigned suppressed, const struct log_field *fields);

#endif
