/* error.c - see error.h. Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/proto/utf8.h"

enum { DRAFT_SIZE = 1024 };

/* The bytes of the character that `text` begins with, if it can be shown; 0 if it is a control character or none at
 * all. U+0080 to U+009F control terminals as well. */
static size_t printable_size(const char *text) {
    const uint8_t *bytes = (const uint8_t *)text;
    if (bytes[0] < 0x80)
        return bytes[0] >= ' ' && bytes[0] != 0x7F ? 1 : 0;
    if (bytes[0] == 0xC2 && bytes[1] < 0xA0)
        return 0;
    size_t size = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    return strnlen(text, size) == size && utf8_valid(bytes, size) ? size : 0;
}

static void escape(const char *from, char *to, size_t size) {
    static const char more[] = "...";
    char piece[sizeof "\\xNN"];
    size_t at = 0, room = size - sizeof more;
    while (*from != '\0') {
        size_t taken = printable_size(from);
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
    escape(draft, error->text, sizeof error->text);
}
