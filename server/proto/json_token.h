/* json_token.h - the tokens of JSON (RFC 8259): what json.c checks and nests nothing. A cursor goes forward through
 * the text and stops where something is wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_JSON_TOKEN_H
#define WEIR_PROTO_JSON_TOKEN_H

#include "server/proto/json.h"

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

/* The byte at the cursor; at the end 0, with which no token begins. */
static inline uint8_t json_peek(const struct json_cursor *cursor) {
    return cursor->at < cursor->end ? *cursor->at : 0;
}

/* Goes past this byte if it is the next one. */
static inline bool json_take(struct json_cursor *cursor, uint8_t byte) {
    if (json_peek(cursor) != byte)
        return false;
    cursor->at++;
    return true;
}

static inline bool json_is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* Whether a byte may stand in a string as it is; one of a character of several bytes may. */
static inline bool json_is_plain(uint8_t byte) {
    return byte >= ' ' && byte != '"' && byte != '\\';
}

/* The value of a hexadecimal digit; -1 if it is none. */
static inline int json_hexadecimal(uint8_t byte) {
    uint8_t small = byte | 0x20;
    return json_is_digit(byte) ? byte - '0' : small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* What a checked value is, by the byte that it begins with. */
enum json_type json_type_of(uint8_t first);

/* Goes past a string, whose opening quote is the next byte. */
bool json_scan_string(struct json_cursor *cursor);

/* Goes past a string, a number, true, false or null. */
bool json_scan_scalar(struct json_cursor *cursor);

#endif
