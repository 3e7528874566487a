/* json.h - JSON (RFC 8259) from untrusted sources: checks the text, builds no tree, copies nothing. A value is
 * given as the bytes that contain it, so that it can be passed on unchanged.
 *
 * No sockets, threads or locks. Works in place, in constant memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_JSON_H
#define WEIR_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 }; /* levels of nested arrays and objects */

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* A value that has been checked. A string includes its quotes; no value includes the blanks around it. */
struct json_value {
    enum json_type type;
    const uint8_t *bytes;
    size_t size;
};

/* What is wrong, such as "expected ':' after a member name", and at which byte, counted from 0. */
struct json_error {
    const char *what;
    size_t offset;
};

/* Checks that a text is one value with only blanks around it, and valid UTF-8. Returns 0, or -1 with *error
 * set. */
int json_check(const void *text, size_t size, struct json_value *value, struct json_error *error);

/* Returns the members of a checked object one after the other. Begin with *position 0. The name is a string, not
 * decoded. Returns false at the end. */
bool json_member(const struct json_value *object, size_t *position, struct json_value *name,
                 struct json_value *value);

/* Decodes a string into `text`, with a terminator. Returns its length. Returns -1 if it does not fit, or contains
 * a character that a terminated UTF-8 string cannot have: U+0000 or half a surrogate pair. */
long json_text(const struct json_value *string, char *text, size_t size);

/* Whether a string's decoded text equals `text`. */
bool json_text_is(const struct json_value *string, const char *text);

/* Returns a whole number from 0 to 2^53 that is written without fraction or exponent; -1 for any other value. */
int64_t json_whole(const struct json_value *number);

#endif
