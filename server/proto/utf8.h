/* utf8.h - incremental validation of UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_UTF8_H
#define WEIR_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a text stands. All zero is its beginning. */
struct utf8 {
    uint8_t needed;       /* continuation bytes still to come */
    uint8_t lower, upper; /* bounds of the next one, when needed is not 0 */
};

/* Continues with `size` bytes. Returns false at the first byte that no valid text can have there. */
bool utf8_feed(struct utf8 *utf8, const uint8_t *bytes, size_t size);

/* True if the text may end here. */
static inline bool utf8_complete(const struct utf8 *utf8) {
    return utf8->needed == 0;
}

/* A whole text. */
bool utf8_valid(const uint8_t *bytes, size_t size);

/* --- Terminated texts, character by character; they are not empty --------------------------------------------- */

/* The size of the first character, 1 to 4; 0: the first byte belongs to no character. */
size_t utf8_character(const char *text);

/* Whether a character controls a terminal: U+0000 to U+001F, U+007F to U+009F. */
bool utf8_is_control(const char *character);

/* Turns each byte that belongs to no character into a question mark. The text may be empty. */
void utf8_mend(char *text);

#endif
