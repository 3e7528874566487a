/* log_writer.h - where the lines of the log go: through log_start()'s queue and thread, or straight to stderr. For
 * log.c; log.h has the rest of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_WRITER_H
#define WEIR_LOG_LOG_WRITER_H

#include "server/log/log.h"

/* In which lines are to be made now. */
enum log_format log_writer_format(void);

/* A line with its newline, of LOG_LINE_MAX bytes at most. Any thread. Does not wait, save without a thread. */
void log_writer_take(const char *line, size_t size);

/* The last line of the process: waits for those before it, for a second at most, and writes this one. Takes no
 * lock. */
void log_writer_end_with(const char *line, size_t size);

#endif
