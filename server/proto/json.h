/* json.h - JSON (RFC 8259) that comes from anywhere: checks the text, builds no tree, copies nothing. A value is
 * told as the bytes that it stands in, so that it can be passed on as it came.
 *
 * No sockets, threads or locks; works in place, in constant memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_JSON_H
#define WEIR_PROTO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 }; /* arrays and objects within each other */

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* A value that has been checked: of a string with its quotes, of anything without blanks around it. */
struct json_value {
    enum json_type type;
    const uint8_t *bytes;
    size_t size;
};

/* What is wrong, and where: "expected ':' behind the name of a member", at this byte from 0 on. */
struct json_error {
    const char *what;
    size_t offset;
};

/* Checks a text that is to be one value with nothing but blanks around it, and valid UTF-8. Returns 0, or -1 with
 * *error set. */
int json_check(const void *text, size_t size, struct json_value *value, struct json_error *error);

/* The members of an object that has been checked, one after the other; begin with *position 0. The name is a
 * string, not decoded. Returns false at the end. */
bool json_member(const struct json_value *object, size_t *position, struct json_value *name,
                 struct json_value *value);

/* Decodes a string into `text`, with a terminator. Returns its length; -1 if it does not fit, or if it has a
 * character that a terminated UTF-8 string cannot have: U+0000, half a surrogate pair. */
long json_text(const struct json_value *string, char *text, size_t size);

/* Whether a string says just this. */
bool json_text_is(const struct json_value *string, const char *text);

/* A number that is a whole one from 0 to 2^53, written without fraction or exponent; -1 if it is not. */
int64_t json_whole(const struct json_value *number);

#endif
