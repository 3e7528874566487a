/* frame.h - writes frame headers, and masks payload (RFC 6455, 5.2 and 5.3). Pure functions, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WS_FRAME_H
#define WEIR_WS_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_RSV1 = 0x40 }; /* set together with the opcode: the payload is compressed (RFC 7692, 6) */

/* Writes the header of an unfragmented, unmasked frame with a payload of `size` bytes into `header`
 * (FRAME_HEADER_MAX bytes). Returns its length: 2, 4 or 10. */
size_t frame_header(uint8_t *header, uint8_t opcode, uint64_t size);

/* Does what frame_header() does, for a frame that a client sends, with the mask at its end: 6, 8 or 14 bytes.
 * frame_mask() masks the payload. */
size_t frame_header_masked(uint8_t *header, uint8_t opcode, uint64_t size, const uint8_t mask[4]);

/* The length that frame_header() returns for this payload size. */
size_t frame_header_size(uint64_t size);

/* The payload of a frame with a header from frame_header(). Stores its size. */
const uint8_t *frame_payload(const uint8_t *frame, size_t *size);

/* Masks or unmasks `size` bytes in place. mask[0] belongs to the first byte. */
void frame_mask(uint8_t *bytes, size_t size, const uint8_t mask[4]);

/* Does what frame_mask() does, into another place, which must be the same one or not overlap. */
void frame_mask_to(uint8_t *to, const uint8_t *from, size_t size, const uint8_t mask[4]);

#endif
