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

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Set once, before there are threads. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For lines that clients can cause at will: at most one a second for each limit, which is static where the line is
 * logged and begins as zero. The next line says how many were left out since the last: suppressed=N. */
struct log_limit {
    _Atomic uint64_t next_ms; /* nothing is written before */
    _Atomic unsigned suppressed;
};

void log_event_limited(struct log_limit *limit, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether a line may be written now (milliseconds of a clock that never goes back), and how many were not. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms, unsigned *suppressed);

/* Writes `text` as a logfmt value into `quoted`: bare if it is plain, else in quotes with ", \, control characters
 * and bytes that are not UTF-8 escaped. Cut to fit; a closing quote always does. Returns `quoted`. */
char *log_quote(const char *text, char *quoted, size_t size);

#endif
