/* payload.h - a message's bytes on their way from the decoder to the handler, and who owns them.
 *
 * The bytes lie in memory of the reader or in a buffer (buffer.h). A buffer belongs to the payload, until it is
 * taken out of it: then `buffer` is NULL, and the bytes are only valid as long as the new owner keeps them. One
 * thread at a time uses a payload.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_PAYLOAD_H
#define WEIR_CORE_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "ws/buffer.h"

struct payload {
    const uint8_t *data; /* may be NULL if size is 0 */
    size_t size;
    uint8_t *buffer; /* owned, equal to data; NULL: the bytes belong to another owner */
    uint8_t opcode;  /* 0: there is no message */
};

/* Takes the buffer out of the payload. Returns NULL if it has none. */
static inline uint8_t *payload_take(struct payload *payload) {
    uint8_t *buffer = payload->buffer;
    payload->buffer = NULL;
    return buffer;
}

/* Releases the buffer, if it still belongs to the payload. */
static inline void payload_release(struct payload *payload) {
    if (payload->buffer != NULL)
        buffer_release(payload_take(payload));
}

#endif
