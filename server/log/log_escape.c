/* log_escape.c - see log_escape.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/log/log_escape.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { UNIT_MAX = 6 };

/* Returns the size of the first character if it needs no escape; else 0. */
static size_t log_escape_plain_size(const char *text) {
    size_t size = utf8_character(text);
    return size == 0 || utf8_is_control(text) || *text == '"' || *text == '\\' ? 0 : size;
}

bool log_is_bare(const char *text) {
    const char *at = text;
    for (size_t size; *at != '\0'; at += size)
        if (*at == ' ' || *at == '=' || (size = log_escape_plain_size(at)) == 0)
            return false;
    return at > text;
}

/* Writes the escape of the byte at *text, and moves *text past it. Returns its size. */
static size_t log_escape_escape_logfmt(const char **text, char unit[UNIT_MAX + 1]) {
    return (size_t)snprintf(unit, UNIT_MAX + 1, "\\x%02x", (unsigned char)*(*text)++);
}

static size_t log_escape_escape_json(const char **text, char unit[UNIT_MAX + 1]) {
    size_t size = utf8_character(*text);
    unsigned code = size == 1 ? (unsigned char)**text : size == 2 ? (unsigned char)(*text)[1] : 0xFFFD;
    *text += size == 0 ? 1 : size;
    return (size_t)snprintf(unit, UNIT_MAX + 1, "\\u%04x", code);
}

/* Writes the first character of *text, or its first byte if that is not part of a character, as it is logged. Moves
 * *text past it. Returns the size of what it wrote. */
static size_t log_escape_take_unit(enum log_format format, const char **text, char unit[UNIT_MAX + 1]) {
    static const char escaped[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    size_t size = log_escape_plain_size(*text);
    if (size > 0) {
        memcpy(unit, *text, size);
        *text += size;
        return size;
    }
    const char *known = strchr(escaped, **text);
    if (known == NULL)
        return format == LOG_JSON ? log_escape_escape_json(text, unit) : log_escape_escape_logfmt(text, unit);
    unit[0] = '\\';
    unit[1] = letters[known - escaped];
    (*text)++;
    return 2;
}

size_t log_escape(enum log_format format, const char *text, char *out, size_t room, bool *cut) {
    size_t used = 0;
    while (*text != '\0') {
        char unit[UNIT_MAX + 1];
        size_t size = log_escape_take_unit(format, &text, unit);
        if (size > room - used) {
            *cut = true;
            break;
        }
        memcpy(out + used, unit, size);
        used += size;
    }
    return used;
}
