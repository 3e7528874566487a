/* log_escape.h - text from anywhere as a value of a log line. Pure functions.
 *
 * What comes out is valid UTF-8 without control characters (C1 ones too: U+009B starts an escape sequence), so it
 * neither begins a line nor speaks to a terminal. A byte that belongs to no character is \xNN in logfmt; JSON has
 * no bytes, there it is \ufffd (U+FFFD REPLACEMENT CHARACTER).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_LOG_LOG_ESCAPE_H
#define WEIR_LOG_LOG_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/log/log.h"

/* Whether logfmt can do without quotes: it is not empty, and nothing is escaped or divides pairs. */
bool log_is_bare(const char *text);

/* Writes the text with what has to be escaped escaped, but not the quotes around it, into `room` bytes of `out`:
 * whole characters, whole escapes, no terminator. Returns how many bytes it wrote; *cut becomes true if the text
 * did not fit. */
size_t log_escape(enum log_format format, const char *text, char *out, size_t room, bool *cut);

#endif
