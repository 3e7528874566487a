/* sequence.h - which messages of one publisher a receiver has heard: in order, late, or twice. Numbers are modulo
 * 2^30. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_SEQUENCE_H
#define WEIR_BENCH_SEQUENCE_H

#include <stdint.h>

/* All zero is one that has heard nothing and expects number 0. */
struct sequence {
    uint32_t next;   /* one more than the highest that was heard */
    uint64_t missed; /* bit i: number next - 1 - i was not heard, though a later one was */
};

enum sequence_result {
    SEQUENCE_NEW,  /* beyond all that was heard */
    SEQUENCE_LATE, /* one of the 64 before, and heard for the first time: others overtook it */
    SEQUENCE_AGAIN /* heard before, or so late that it cannot be told */
};

enum sequence_result sequence_hear(struct sequence *sequence, uint32_t number);

#endif
