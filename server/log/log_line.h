/* log_line.h - one line of the log, put together field by field, in either format. Pure functions on the caller's
 * memory.
 *
 *     time=2026-03-01T12:00:00.000Z level=info event=close conn=7 reason="two words"
 *     {"time":"2026-03-01T12:00:00.000Z","level":"info","event":"close","conn":7,"reason":"two words"}
 *
 * A line is whole whatever comes: a text that is too long is cut, a field that finds no room is left out, and a
 * last field, truncated, says so.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_LINE_H
#define WEIR_LOG_LOG_LINE_H

#include <limits.h>
#include <time.h>

#include "server/log/log.h"

enum { LOG_LINE_MAX = PIPE_BUF }; /* with its newline: what a pipe takes in one piece */

struct log_line {
    enum log_format format;
    bool truncated;
    size_t size;
    char bytes[LOG_LINE_MAX];
};

/* The names of fields are constants of this program: they are written as they are. */
void log_line_begin(struct log_line *line, enum log_format format, const struct timespec *time,
                    enum log_level level, const char *event);
void log_line_add(struct log_line *line, const struct log_field *field);
void log_line_end(struct log_line *line);

#endif
