/* text.c - escapes text, and converts hexadecimal digits in both directions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* --- Escaping ---------------------------------------------------------------------------------------------- */

/* Characters that control the screen or the surrounding text instead of being displayed. */
static const struct range {
    uint32_t first, last;
} dangerous[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},                         /* C0, DEL, C1 */
    {0x061C, 0x061C}, {0x200E, 0x200F}, {0x202A, 0x202E},   /* bidirectional marks, embeddings and overrides */
    {0x2066, 0x2069},                                       /* bidirectional isolates */
    {0x2028, 0x2029},                                       /* line and paragraph separator */
    {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}, /* byte order mark, annotations, tags */
};

static bool is_dangerous(uint32_t character) {
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
        if (character >= dangerous[i].first && character <= dangerous[i].last)
            return true;
    return false;
}

static bool is_plain(char byte) {
    return byte >= 0x20 && byte < 0x7F;
}

/* Decodes the first character of a text that is not empty. Returns its size in bytes; 0 if it is not UTF-8. */
static size_t decode(const uint8_t *text, size_t size, uint32_t *character) {
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    if (length > size || !utf8_valid(text, length))
        return 0;
    *character = length == 1 ? text[0] : text[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        *character = *character << 6 | (text[i] & 0x3F);
    return length;
}

static void escape(FILE *out, uint32_t character) {
    if (character == '\n' || character == '\r' || character == '\t')
        fprintf(out, "\\%c", character == '\n' ? 'n' : character == '\r' ? 'r' : 't');
    else if (character < 0x80)
        fprintf(out, "\\x%02x", (unsigned)character);
    else
        fprintf(out, character > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)character);
}

/* Prints one character that is not plain. Returns its size in bytes. */
static size_t show_character(FILE *out, const char *text, size_t size) {
    uint32_t character = 0;
    size_t length = decode((const uint8_t *)text, size, &character);
    if (length == 0) {
        fprintf(out, "\\x%02x", (unsigned)(uint8_t)text[0]);
        return 1;
    }
    if (is_dangerous(character))
        escape(out, character);
    else
        fwrite(text, 1, length, out);
    return length;
}

void text_show(FILE *out, const char *text, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t plain = 0;
        while (at + plain < size && is_plain(text[at + plain]))
            plain++;
        fwrite(text + at, 1, plain, out);
        at += plain;
        if (at < size)
            at += show_character(out, text + at, size - at);
    }
}

void text_print_line(FILE *out, const char *text, size_t size) {
    for (const char *newline; (newline = size > 0 ? memchr(text, '\n', size) : NULL) != NULL;) {
        size_t before = (size_t)(newline - text);
        fwrite(text, 1, before, out);
        putc(' ', out);
        text += before + 1;
        size -= before + 1;
    }
    if (size > 0)
        fwrite(text, 1, size, out);
}

/* --- Hexadecimal digits ------------------------------------------------------------------------------------ */

static const char digits[] = "0123456789abcdef";

void text_print_hex(FILE *out, const void *data, size_t size) {
    for (const uint8_t *byte = data, *end = size > 0 ? byte + size : byte; byte < end; byte++) {
        putc(digits[*byte >> 4], out);
        putc(digits[*byte & 0xF], out);
    }
}

/* Returns the value of a digit; 16 if it is not a digit. */
static unsigned digit_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F')
        return (unsigned)(digit - 'A') + 10;
    return 16;
}

bool text_read_hex(char *text, size_t size, size_t *bytes) {
    *bytes = 0;
    for (size_t at = 0; at < size;) {
        if (text[at] == ' ' || text[at] == '\t') {
            at++;
            continue;
        }
        unsigned high = digit_value(text[at]), low = at + 1 < size ? digit_value(text[at + 1]) : 16;
        if (high > 15 || low > 15)
            return false;
        text[(*bytes)++] = (char)(high << 4 | low);
        at += 2;
    }
    return true;
}
