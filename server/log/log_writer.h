/* log_writer.h - takes the lines of the log, and passes them to the queue and thread of log_start(), or directly to
 * stderr. For log.c only; log.h declares the rest of log_writer.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_WRITER_H
#define WEIR_LOG_LOG_WRITER_H

#include "server/log/log.h"

/* Returns the format of the lines to be made now. */
enum log_format log_writer_format(void);

/* Takes a line with its newline, of at most LOG_LINE_MAX bytes. Any thread. It waits only if the log has no thread:
 * then it writes to stderr, and waits at most 100 ms for room. */
void log_writer_take(const char *line, size_t size);

/* Writes the last line of the process, after waiting at most a second until the lines before it are written. Takes
 * no lock. */
void log_writer_end_with(const char *line, size_t size);

#endif
