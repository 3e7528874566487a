/* json_value.c - reads JSON values that have been checked. Of a value that has not been checked, nothing outside
 * its bytes is read, and every function terminates.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "base/json.h"
#include "base/json_token.h"

/* Double precision distinguishes all whole numbers up to here, and no further (RFC 8259, 6). */
#define WHOLE_MAX (INT64_C(1) << 53)

/* --- Members ----------------------------------------------------------------------------------------------- */

/* Moves past a string whose opening quote is the next byte: to the first quote that follows an even number of
 * backslashes. */
static void skip_string(struct json_cursor *cursor) {
    const uint8_t *start = ++cursor->at, *quote = start;
    for (; (quote = memchr(quote, '"', (size_t)(cursor->end - quote))) != NULL; quote++) {
        const uint8_t *before = quote;
        while (before > start && before[-1] == '\\')
            before--;
        if ((quote - before) % 2 == 0)
            break;
    }
    cursor->at = quote == NULL ? cursor->end : quote + 1;
}

/* Moves past an array or an object, whose bracket is the next byte. */
static void skip_nested(struct json_cursor *cursor) {
    size_t depth = 0;
    while (cursor->at < cursor->end) {
        uint8_t byte = *cursor->at;
        if (byte == '"') {
            skip_string(cursor);
            continue;
        }
        cursor->at++;
        if (byte == '{' || byte == '[')
            depth++;
        else if ((byte == '}' || byte == ']') && --depth == 0)
            return;
    }
}

static void skip_number_or_word(struct json_cursor *cursor) {
    while (cursor->at<cursor->end && * cursor->at> ' ' && strchr(",]}", *cursor->at) == NULL)
        cursor->at++;
}

/* Takes the next value. Returns false if there is none. */
static bool take_value(struct json_cursor *cursor, struct json_value *value) {
    json_skip_blanks(cursor);
    const uint8_t *start = cursor->at;
    uint8_t first = json_peek(cursor);
    if (first == '"')
        skip_string(cursor);
    else if (first == '{' || first == '[')
        skip_nested(cursor);
    else
        skip_number_or_word(cursor);
    *value = (struct json_value){json_type_of(first), start, (size_t)(cursor->at - start)};
    return value->size > 0;
}

bool json_member(const struct json_value *object, size_t *position, struct json_value *name,
                 struct json_value *value) {
    if (object->type != JSON_OBJECT || *position >= object->size)
        return false;
    struct json_cursor cursor = {object->bytes + *position, object->bytes + object->size, NULL};
    json_skip_blanks(&cursor);
    if (!json_take(&cursor, *position == 0 ? '{' : ','))
        return false;
    json_skip_blanks(&cursor);
    if (json_peek(&cursor) != '"' || !take_value(&cursor, name))
        return false;
    json_skip_blanks(&cursor);
    if (!json_take(&cursor, ':') || !take_value(&cursor, value))
        return false;
    *position = (size_t)(cursor.at - object->bytes);
    return true;
}

/* --- Strings ----------------------------------------------------------------------------------------------- */

/* A part of a decoded string: bytes that stand for themselves, or one escaped character. */
struct piece {
    const uint8_t *bytes;
    size_t size;
    uint8_t character[4];
};

static struct json_cursor within_quotes(const struct json_value *string) {
    return (struct json_cursor){string->bytes + 1, string->bytes + string->size - 1, NULL};
}

static bool is_string(const struct json_value *value) {
    return value->type == JSON_STRING && value->size >= 2;
}

/* Reads the four digits after \u. Returns 0 if they are not there. */
static uint32_t code_unit(struct json_cursor *cursor) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++, cursor->at++) {
        int digit = json_hexadecimal(json_peek(cursor));
        if (digit < 0)
            return 0;
        unit = unit << 4 | (uint32_t)digit;
    }
    return unit;
}

/* Reads what follows \u. Returns 0 for what a text cannot contain. */
static uint32_t code_point(struct json_cursor *cursor) {
    uint32_t first = code_unit(cursor);
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || !json_take(cursor, '\\') || !json_take(cursor, 'u'))
        return 0;
    uint32_t second = code_unit(cursor);
    return second < 0xDC00 || second > 0xDFFF ? 0 : 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

/* Reads what follows a backslash. Returns 0 for what a text cannot contain. */
static uint32_t escaped(struct json_cursor *cursor) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    uint8_t letter = json_peek(cursor);
    const char *known = letter == 0 ? NULL : strchr(letters, letter);
    if (known == NULL)
        return json_take(cursor, 'u') ? code_point(cursor) : 0;
    cursor->at++;
    return (uint32_t)meanings[known - letters];
}

static size_t encode(uint32_t character, uint8_t bytes[4]) {
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, character >>= 6)
        bytes[i] = (uint8_t)(0x80 | (character & 0x3F));
    bytes[0] = (uint8_t)(leads[size] | character);
    return size;
}

/* Takes the next piece; there must be one. Returns false if a text cannot contain it. */
static bool take_piece(struct json_cursor *cursor, struct piece *piece) {
    if (json_take(cursor, '\\')) {
        uint32_t character = escaped(cursor);
        piece->bytes = piece->character;
        piece->size = encode(character, piece->character);
        return character != 0;
    }
    const uint8_t *stop = memchr(cursor->at, '\\', (size_t)(cursor->end - cursor->at));
    piece->bytes = cursor->at;
    cursor->at = stop == NULL ? cursor->end : stop;
    piece->size = (size_t)(cursor->at - piece->bytes);
    return true;
}

long json_text(const struct json_value *string, char *text, size_t size) {
    if (!is_string(string) || size == 0)
        return -1;
    size_t used = 0;
    struct piece piece;
    for (struct json_cursor cursor = within_quotes(string); cursor.at < cursor.end; used += piece.size) {
        if (!take_piece(&cursor, &piece) || piece.size >= size - used) {
            text[0] = '\0';
            return -1;
        }
        memcpy(text + used, piece.bytes, piece.size);
    }
    text[used] = '\0';
    return (long)used;
}

bool json_text_is(const struct json_value *string, const char *text) {
    if (!is_string(string))
        return false;
    struct piece piece;
    for (struct json_cursor cursor = within_quotes(string); cursor.at < cursor.end; text += piece.size)
        if (!take_piece(&cursor, &piece) || strnlen(text, piece.size) < piece.size ||
            memcmp(text, piece.bytes, piece.size) != 0)
            return false;
    return *text == '\0';
}

/* --- Numbers ----------------------------------------------------------------------------------------------- */

int64_t json_whole(const struct json_value *number) {
    if (number->type != JSON_NUMBER || number->size == 0)
        return -1;
    int64_t whole = 0;
    for (size_t i = 0; i < number->size; i++) {
        if (!json_is_digit(number->bytes[i]))
            return -1;
        whole = whole * 10 + (number->bytes[i] - '0');
        if (whole > WHOLE_MAX)
            return -1;
    }
    return whole;
}
