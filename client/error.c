/* error.c - see error.h. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { DRAFT_SIZE = 1024 };

/* Returns the size of the character at the start of `text` if it is printable; else 0. */
static size_t error_printable_size(const char *text) {
    return utf8_is_control(text) ? 0 : utf8_character(text);
}

static void error_escape(const char *from, char *to, size_t size) {
    static const char more[] = "...";
    char piece[sizeof "\\xNN"];
    size_t at = 0, room = size - sizeof more;
    while (*from != '\0') {
        size_t taken = error_printable_size(from);
        size_t piece_size = taken;
        if (taken > 0)
            memcpy(piece, from, taken);
        else
            piece_size = (size_t)snprintf(piece, sizeof piece, "\\x%02x", (uint8_t)*from);
        if (at + piece_size > room) {
            memcpy(to + at, more, sizeof more);
            return;
        }
        memcpy(to + at, piece, piece_size);
        at += piece_size;
        from += taken > 0 ? taken : 1;
    }
    to[at] = '\0';
}

void client_error(struct weir_client_error *error, enum weir_client_cause cause, const char *format, ...) {
    if (error == NULL)
        return;
    char draft[DRAFT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(draft, sizeof draft, format, arguments);
    va_end(arguments);
    *error = (struct weir_client_error){.cause = cause};
    error_escape(draft, error->text, sizeof error->text);
}
