/* sequence.h - tracks which messages of one publisher a receiver has got: in order, late, or twice. Numbers are
 * modulo 2^30. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_SEQUENCE_H
#define WEIR_BENCH_LOAD_SEQUENCE_H

#include <stdint.h>

/* All zero is a sequence that has got nothing and expects number 0. */
struct sequence {
    uint32_t next;   /* one more than the highest number received */
    uint64_t missed; /* bit i: number next - 1 - i has not been received, though a later one has */
};

enum sequence_result {
    SEQUENCE_NEW,  /* higher than all received before */
    SEQUENCE_LATE, /* one of the 64 before, received for the first time: later messages overtook it */
    SEQUENCE_AGAIN /* received before, or too late to tell */
};

enum sequence_result sequence_hear(struct sequence *sequence, uint32_t number);

#endif
