/* frame.c - writes frame headers, and masks or unmasks payload. Pure functions; the decoder reads headers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/frame.h"

#include <string.h>

enum { FIN = 0x80, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127, MASK_SIZE = 4 };

size_t frame_header_size(uint64_t size) {
    return size < LENGTH_16 ? 2 : size <= UINT16_MAX ? 4 : 10;
}

size_t frame_header(uint8_t *header, uint8_t opcode, uint64_t size) {
    size_t header_size = frame_header_size(size);
    header[0] = (uint8_t)(FIN | opcode);
    header[1] = (uint8_t)(header_size == 2 ? size : header_size == 4 ? LENGTH_16 : LENGTH_64);
    for (size_t at = header_size; at > 2; at--, size >>= 8)
        header[at - 1] = (uint8_t)size;
    return header_size;
}

size_t frame_header_masked(uint8_t *header, uint8_t opcode, uint64_t size, const uint8_t mask[4]) {
    size_t header_size = frame_header(header, opcode, size);
    header[1] |= MASKED;
    memcpy(header + header_size, mask, MASK_SIZE);
    return header_size + MASK_SIZE;
}

const uint8_t *frame_payload(const uint8_t *frame, size_t *size) {
    *size = frame[1];
    if (frame[1] < LENGTH_16)
        return frame + 2;
    const uint8_t *payload = frame + (frame[1] == LENGTH_16 ? 4 : 10);
    *size = 0;
    for (const uint8_t *byte = frame + 2; byte < payload; byte++)
        *size = *size << 8 | *byte;
    return payload;
}

/* 16 bytes at any address. Every 64-bit processor has such vectors. */
typedef uint8_t vector __attribute__((vector_size(16), aligned(1), may_alias));

/* Works in steps of 16 bytes, then 8, then 1: the first two are multiples of the mask's size. */
void frame_mask_to(uint8_t *to, const uint8_t *from, size_t size, const uint8_t mask[4]) {
    uint64_t key[2], word;
    for (size_t i = 0; i < sizeof key; i += MASK_SIZE)
        memcpy((uint8_t *)key + i, mask, MASK_SIZE);

    const vector keys = *(const vector *)key;
    size_t at = 0;
    for (; size - at >= sizeof keys; at += sizeof keys)
        *(vector *)(to + at) = *(const vector *)(from + at) ^ keys;
    for (; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, from + at, sizeof word);
        word ^= key[0];
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < size; at++)
        to[at] = from[at] ^ mask[at % MASK_SIZE];
}

void frame_mask(uint8_t *bytes, size_t size, const uint8_t mask[4]) {
    frame_mask_to(bytes, bytes, size, mask);
}
