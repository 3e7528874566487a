/* log_escape.h - escapes text from any source as a value of a log line. Pure functions.
 *
 * The result is valid UTF-8 without control characters, including C1 (U+009B starts an escape sequence). So it can
 * neither begin a new line nor control a terminal. A byte that is not part of a valid character becomes \xNN in
 * logfmt. JSON cannot hold bytes, so there it becomes \ufffd (U+FFFD REPLACEMENT CHARACTER).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_ESCAPE_H
#define WEIR_LOG_LOG_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/log/log.h"

/* Returns true if logfmt needs no quotes: the text is not empty, needs no escape, and has no blank and no '='. */
bool log_is_bare(const char *text);

/* Writes the escaped text, without quotes around it, into `room` bytes of `out`: whole characters and whole
 * escapes, no terminator. Returns the number of bytes. Sets *cut to true if the text did not fit, and else leaves
 * it. */
size_t log_escape(enum log_format format, const char *text, char *out, size_t room, bool *cut);

#endif
