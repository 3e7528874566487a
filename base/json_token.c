/* json_token.c - see json_token.h. Strings are scanned eight bytes at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/json_token.h"

#include <string.h>

#include "base/utf8.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

enum { HEXADECIMAL_DIGITS = 4 };

enum json_type json_type_of(uint8_t first) {
    switch (first) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

/* --- Strings ----------------------------------------------------------------------------------------------- */

static bool has_zero(uint64_t word) {
    return ((word - EACH(1)) & ~word & EACH(0x80)) != 0;
}

static bool all_plain(uint64_t word) {
    bool control = ((word - EACH(' ')) & ~word & EACH(0x80)) != 0;
    return !control && !has_zero(word ^ EACH('"')) && !has_zero(word ^ EACH('\\'));
}

/* Moves past bytes that stand for themselves. Sets *ascii to false if not all of them are ASCII. */
static void skip_plain(struct json_cursor *cursor, bool *ascii) {
    const uint8_t *at = cursor->at, *end = cursor->end; /* in registers: the bytes might alias the cursor */
    uint64_t seen = 0;
    for (uint64_t word; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        if (!all_plain(word))
            break;
        seen |= word;
    }
    for (; at < end && json_is_plain(*at); at++)
        seen |= *at;
    *ascii = *ascii && (seen & EACH(0x80)) == 0;
    cursor->at = at;
}

static bool escape(struct json_cursor *cursor) {
    cursor->at++; /* the backslash */
    uint8_t letter = json_peek(cursor);
    if (letter == 0 || strchr("\"\\/bfnrtu", letter) == NULL)
        return json_wrong(cursor, "expected one of \" \\ / b f n r t u after a backslash");
    cursor->at++;
    for (int i = 0; letter == 'u' && i < HEXADECIMAL_DIGITS; i++, cursor->at++)
        if (json_hexadecimal(json_peek(cursor)) < 0)
            return json_wrong(cursor, "expected four hexadecimal digits after \\u");
    return true;
}

/* Checks the bytes from `start` to the cursor. On failure the cursor goes back to the first wrong byte. */
static bool check_utf8(struct json_cursor *cursor, const uint8_t *start) {
    if (utf8_valid(start, (size_t)(cursor->at - start)))
        return true;
    struct utf8 utf8 = {0};
    while (start < cursor->at && utf8_feed(&utf8, start, 1))
        start++;
    cursor->at = start;
    return json_wrong(cursor, "expected valid UTF-8");
}

bool json_scan_string(struct json_cursor *cursor) {
    const uint8_t *start = ++cursor->at;
    bool ascii = true;
    for (;;) {
        skip_plain(cursor, &ascii);
        if (cursor->at == cursor->end)
            return json_wrong(cursor, "expected '\"' at the end of a string");
        if (*cursor->at == '"')
            break;
        if (*cursor->at != '\\')
            return json_wrong(cursor, "expected control characters of a string to be escaped");
        if (!escape(cursor))
            return false;
    }
    if (!ascii && !check_utf8(cursor, start))
        return false;
    cursor->at++;
    return true;
}

/* --- Numbers and words ------------------------------------------------------------------------------------- */

static bool digits(struct json_cursor *cursor, const char *wrong) {
    if (!json_is_digit(json_peek(cursor)))
        return json_wrong(cursor, wrong);
    while (json_is_digit(json_peek(cursor)))
        cursor->at++;
    return true;
}

static bool number(struct json_cursor *cursor) {
    json_take(cursor, '-');
    if (json_take(cursor, '0')) {
        if (json_is_digit(json_peek(cursor)))
            return json_wrong(cursor, "expected no digit after a leading 0");
    } else if (!digits(cursor, "expected a digit after '-'")) {
        return false;
    }
    if (json_take(cursor, '.') && !digits(cursor, "expected a digit after the decimal point"))
        return false;
    if (!json_take(cursor, 'e') && !json_take(cursor, 'E'))
        return true;
    if (!json_take(cursor, '-'))
        json_take(cursor, '+');
    return digits(cursor, "expected a digit in the exponent");
}

static bool word(struct json_cursor *cursor, const char *text, const char *wrong) {
    size_t size = strlen(text);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, text, size) != 0)
        return json_wrong(cursor, wrong);
    cursor->at += size;
    return true;
}

bool json_scan_scalar(struct json_cursor *cursor) {
    switch (json_peek(cursor)) {
    case '"':
        return json_scan_string(cursor);
    case 't':
        return word(cursor, "true", "expected \"true\"");
    case 'f':
        return word(cursor, "false", "expected \"false\"");
    case 'n':
        return word(cursor, "null", "expected \"null\"");
    case '-':
        return number(cursor);
    default:
        return json_is_digit(json_peek(cursor)) ? number(cursor) : json_wrong(cursor, "expected a value");
    }
}
