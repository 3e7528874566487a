/* value_error.c - parts of errors about values: the name that was probably meant, what is wrong with a text, and
 * the text in quotes. Pure functions on text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "server/config/value.h"

enum { NEAREST_LENGTH_MAX = 40 };

static size_t least(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Returns how many letters must be inserted, deleted or replaced (Levenshtein distance, computed row by row). Case
 * does not count. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[NEAREST_LENGTH_MAX + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t replaced = diagonal + (strncasecmp(a + i, b + j, 1) != 0);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, row[j] + 1, diagonal + 1);
        }
    }
    return row[width];
}

const char *value_nearest(const char *name, const char *const *names) {
    size_t length = strlen(name);
    size_t best = length / 3 + 1; /* a larger distance means a different word, not a typing error */
    const char *nearest = NULL;
    for (; length <= NEAREST_LENGTH_MAX && *names != NULL; names++) {
        if (strlen(*names) > NEAREST_LENGTH_MAX)
            continue;
        size_t distance = edit_distance(name, *names);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}

const char *value_text_error(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7F)
            return "contains a control character";
    return utf8_valid((const uint8_t *)text, size) ? NULL : "is not UTF-8 text";
}

char *value_quote(const char *text, char quoted[VALUE_QUOTED_SIZE]) {
    enum { LONGEST = 60 };
    size_t size = strnlen(text, LONGEST + 1);
    bool cut = size > LONGEST;
    if (cut)
        for (size = LONGEST; size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80; size--)
            ; /* back to the start of a character */
    snprintf(quoted, VALUE_QUOTED_SIZE, cut ? "\"%.*s...\"" : "\"%.*s\"", (int)size, text);
    return quoted;
}
