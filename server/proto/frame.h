/* frame.h - writing frame headers, masking (RFC 6455, 5.2 and 5.3).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_FRAME_H
#define WEIR_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* Writes the header of an unfragmented, unmasked frame with a payload of `size` bytes into `header`
 * (FRAME_HEADER_MAX bytes). Returns its length: 2, 4 or 10. */
size_t frame_header(uint8_t *header, uint8_t opcode, uint64_t size);

/* The length that frame_header() will return. */
size_t frame_header_size(uint64_t size);

/* Masks or unmasks `size` bytes in place; mask[0] belongs to the first of them. */
void frame_mask(uint8_t *bytes, size_t size, const uint8_t mask[4]);

#endif
