/* json_token.h - the tokens of JSON (RFC 8259), without nesting, for the files json*.c. A cursor moves forward
 * through the text and stops where something is wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_JSON_TOKEN_H
#define WEIR_BASE_JSON_TOKEN_H

#include "base/json.h"

struct json_cursor {
    const uint8_t *at, *end;
    const char *wrong; /* what was expected at `at` */
};

static inline bool json_wrong(struct json_cursor *cursor, const char *what) {
    cursor->wrong = what;
    return false;
}

static inline void json_skip_blanks(struct json_cursor *cursor) {
    for (; cursor->at < cursor->end; cursor->at++)
        if (*cursor->at != ' ' && *cursor->at != '\n' && *cursor->at != '\r' && *cursor->at != '\t')
            break;
}

/* The byte at the cursor. At the end of the text it is 0, with which no token begins. */
static inline uint8_t json_peek(const struct json_cursor *cursor) {
    return cursor->at < cursor->end ? *cursor->at : 0;
}

/* Moves past this byte if it is the next one. */
static inline bool json_take(struct json_cursor *cursor, uint8_t byte) {
    if (json_peek(cursor) != byte)
        return false;
    cursor->at++;
    return true;
}

static inline bool json_is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* Whether a byte may stand unescaped in a string. Every byte of a multi-byte character may. */
static inline bool json_is_plain(uint8_t byte) {
    return byte >= ' ' && byte != '"' && byte != '\\';
}

/* The value of a hexadecimal digit; -1 if it is not one. */
static inline int json_hexadecimal(uint8_t byte) {
    uint8_t small = byte | 0x20;
    return json_is_digit(byte) ? byte - '0' : small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* The type of a checked value, by its first byte. */
enum json_type json_type_of(uint8_t first);

/* Moves past a string. Its opening quote must be the next byte. */
bool json_scan_string(struct json_cursor *cursor);

/* Moves past a string, a number, true, false or null. */
bool json_scan_scalar(struct json_cursor *cursor);

#endif
