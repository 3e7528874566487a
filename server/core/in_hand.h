/* in_hand.h - the message that this thread's callback was given. A handler that sends it on has it neither checked
 * nor copied again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_IN_HAND_H
#define WEIR_CORE_IN_HAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>

#include "base/utf8.h"

struct message;

/* All zero: no callback has a message. Each thread has its own, which no other thread uses. */
struct in_hand {
    const uint8_t *data;
    size_t size;
    uint8_t *buffer; /* NULL: the message is not in a buffer */

    /* Once the message has been sent in its buffer, the buffer belongs to this message. The reference here keeps
     * it until the callback returns. */
    struct message *around;
    uint8_t opcode;
};

extern _Thread_local struct in_hand in_hand;

static inline bool is_in_hand(const void *data, size_t size) {
    return data == in_hand.data && size == in_hand.size;
}

/* Whether a message may be sent: a known opcode, and text that is UTF-8 (RFC 6455, 5.6). Text that was received
 * has been checked, so an echo is not checked again. */
static inline bool conn_message_is_valid(enum weir_opcode opcode, const void *data, size_t size) {
    if (opcode == WEIR_TEXT)
        return (in_hand.opcode == WEIR_TEXT && is_in_hand(data, size)) || utf8_valid(data, size);
    return opcode == WEIR_BINARY;
}

#endif
