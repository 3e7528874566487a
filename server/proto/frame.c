/* frame.c - frame headers out, masking both ways. Pure functions; reading headers is the decoder's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/proto/frame.h"

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

/* In steps of 32 bytes, which the compiler turns into vectors; of 8; of 1. */
void frame_mask(uint8_t *bytes, size_t size, const uint8_t mask[4]) {
    uint64_t key, words[4];
    memcpy(&key, mask, 4);
    memcpy((uint8_t *)&key + 4, mask, 4);

    for (; size >= sizeof words; bytes += sizeof words, size -= sizeof words) {
        memcpy(words, bytes, sizeof words);
        for (size_t i = 0; i < 4; i++)
            words[i] ^= key;
        memcpy(bytes, words, sizeof words);
    }
    for (; size >= sizeof key; bytes += sizeof key, size -= sizeof key) {
        memcpy(words, bytes, sizeof key);
        words[0] ^= key;
        memcpy(bytes, words, sizeof key);
    }
    uint8_t tail[sizeof key];
    memcpy(tail, &key, sizeof key);
    for (size_t i = 0; i < size; i++)
        bytes[i] ^= tail[i];
}
