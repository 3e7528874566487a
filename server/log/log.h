/* log.h - one line per event, logfmt, to stderr: time, level, event, then name=value pairs.
 *
 *     log_event(LOG_INFO, "close", "conn=%llu code=%u reason=%s", ...)
 *
 * A line is written with one write(), so lines of different threads do not mix. No message contents, no query
 * strings. Text that a client supplied goes through log_quote() first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_H
#define WEIR_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Set once, before there are threads. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes `text` as a logfmt value into `quoted`: bare if it is plain, else in quotes with ", \, control characters
 * and bytes that are not UTF-8 escaped. Cut to fit; a closing quote always does. Returns `quoted`. */
char *log_quote(const char *text, char *quoted, size_t size);

#endif
