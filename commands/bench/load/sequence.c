/* sequence.c - see sequence.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/sequence.h"

#include "commands/bench/load/payload.h"

enum { WINDOW = 64 };

#define MODULUS (UINT32_C(1) << PAYLOAD_NUMBER_BITS)

enum sequence_result sequence_hear(struct sequence *sequence, uint32_t number) {
    uint32_t ahead = (number - sequence->next) % MODULUS;
    if (ahead < MODULUS / 2) {
        uint32_t shift = ahead + 1;
        sequence->missed = shift < WINDOW ? sequence->missed << shift : 0;
        uint64_t skipped = ahead < WINDOW ? (UINT64_C(1) << ahead) - 1 : UINT64_MAX;
        sequence->missed |= skipped << 1;
        sequence->next = (number + 1) % MODULUS;
        return SEQUENCE_NEW;
    }
    uint32_t behind = (sequence->next - 1 - number) % MODULUS;
    uint64_t bit = behind < WINDOW ? UINT64_C(1) << behind : 0;
    if ((sequence->missed & bit) == 0)
        return SEQUENCE_AGAIN;
    sequence->missed &= ~bit;
    return SEQUENCE_LATE;
}
