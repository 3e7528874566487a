/* utf8.h - incremental validation of UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 * No locks; one thread at a time for each state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A position in a text. All zero is its beginning. */
struct utf8 {
    uint8_t needed;       /* continuation bytes still to come */
    uint8_t lower, upper; /* bounds of the next byte, while needed is not 0 */
};

/* Continues with `size` bytes. Returns false at the first byte that a valid text cannot have there. */
bool utf8_feed(struct utf8 *utf8, const uint8_t *bytes, size_t size);

/* Whether the text may end here. */
static inline bool utf8_complete(const struct utf8 *utf8) {
    return utf8->needed == 0;
}

/* Whether this is a complete, valid text. */
bool utf8_valid(const uint8_t *bytes, size_t size);

/* --- Terminated texts, character by character; they are not empty --------------------------------------------- */

/* The size of the first character, 1 to 4; 0 if the first byte does not belong to a character. */
size_t utf8_character(const char *text);

/* Whether a character controls a terminal: U+0000 to U+001F, U+007F to U+009F. */
bool utf8_is_control(const char *character);

/* Replaces each byte that does not belong to a character with a question mark. The text may be empty. */
void utf8_mend(char *text);

#endif
