/* deflate_data.h - data to compress, for the tests of DEFLATE and of the decoder's compressed messages.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_DEFLATE_DATA_H
#define WEIR_TESTS_UNIT_DEFLATE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "ws/deflate.h"

enum kind { ZEROS, WORDS, NOISE, REPEATS, KINDS };

/* The same each time. Repeats: noise that comes again after 5,000 bytes. In the heap. */
uint8_t *data_of(enum kind kind, size_t size);

struct bytes {
    uint8_t *at;
    size_t size;
};

#define B(text)                                                                                                    \
    { (uint8_t *)(uintptr_t)(text), sizeof(text) - 1 }

#define HELLO       "\xf2\x48\xcd\xc9\xc9\x07\x00" /* RFC 7692, 7.2.3.1 to 7.2.3.5 */
#define HELLO_AGAIN "\xf2\x00\x11\x00\x00"
#define HELLO_PLAIN "\x00\x05\x00\xfa\xffHello\x00"
#define HELLO_FINAL "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
#define HELLO_TWICE "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"

/* The four bytes that every compressed message would end with. */
extern const uint8_t deflate_tail[4];

/* Compressed into exactly deflater_bound() bytes; in the heap. */
struct bytes deflated(struct deflater *deflater, const void *data, size_t size);

#endif
