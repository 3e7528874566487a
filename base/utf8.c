/* utf8.c - validates UTF-8: eight bytes at a time while they are ASCII, otherwise one by one; long texts with
 * vectors first (utf8_vector.c). The state of an unfinished character is three bytes, so a text may be fed in any
 * pieces. It decodes nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/utf8.h"

#include <string.h>

#include "base/utf8_vector.h"

enum { LONG_MIN_SIZE = 128 }; /* from this size on, checking what the processor supports pays off */

/* Counts leading ASCII bytes in steps of eight. It may stop up to seven bytes early, never late. */
static size_t ascii_prefix(const uint8_t *bytes, size_t size) {
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return at;
}

/* Starts a character. The bounds of its second byte exclude overlong forms (after E0 and F0), surrogates (ED) and
 * everything above U+10FFFF (F4): RFC 3629, 4. */
static bool begin(struct utf8 *utf8, uint8_t lead) {
    if (lead < 0x80)
        return true;
    if (lead < 0xC2 || lead > 0xF4)
        return false;
    utf8->needed = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    utf8->lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    utf8->upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return true;
}

static bool proceed(struct utf8 *utf8, uint8_t byte) {
    if (byte < utf8->lower || byte > utf8->upper)
        return false;
    utf8->needed--;
    utf8->lower = 0x80;
    utf8->upper = 0xBF;
    return true;
}

static bool feed_plain(struct utf8 *utf8, const uint8_t *bytes, size_t size) {
    struct utf8 state = *utf8; /* a copy can live in registers: `bytes` might alias *utf8 */
    bool valid = true;
    for (size_t at = 0; valid && at < size; at++) {
        if (state.needed == 0) {
            at += ascii_prefix(bytes + at, size - at);
            valid = at == size || begin(&state, bytes[at]);
        } else {
            valid = proceed(&state, bytes[at]);
        }
    }
    *utf8 = state;
    return valid;
}

/* Finishes the character in progress, skips what the vectors find valid, and checks the rest byte by byte. That
 * last step finds the position of an error, and keeps the state. */
static bool feed_long(struct utf8 *utf8, const uint8_t *bytes, size_t size) {
    size_t at = utf8->needed;
    if (!feed_plain(utf8, bytes, at))
        return false;
    at += utf8_vector_prefix(bytes + at, size - at);
    return feed_plain(utf8, bytes + at, size - at);
}

bool utf8_feed(struct utf8 *utf8, const uint8_t *bytes, size_t size) {
    return size < LONG_MIN_SIZE ? feed_plain(utf8, bytes, size) : feed_long(utf8, bytes, size);
}

bool utf8_valid(const uint8_t *bytes, size_t size) {
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, bytes, size) && utf8_complete(&utf8);
}

size_t utf8_character(const char *text) {
    const uint8_t *bytes = (const uint8_t *)text;
    if (bytes[0] < 0x80)
        return 1;
    size_t size = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    return strnlen(text, size) == size && utf8_valid(bytes, size) ? size : 0;
}

bool utf8_is_control(const char *character) {
    uint8_t lead = (uint8_t)character[0];
    return lead < ' ' || lead == 0x7F || (lead == 0xC2 && (uint8_t)character[1] < 0xA0);
}

void utf8_mend(char *text) {
    while (*text != '\0') {
        size_t size = utf8_character(text);
        if (size == 0)
            *text = '?';
        text += size == 0 ? 1 : size;
    }
}
