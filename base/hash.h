/* hash.h - mixes the bits of a number, for hash tables and for numbers that must not look alike.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stdint.h>

/* Maps similar numbers to dissimilar ones, and never two numbers to the same one (the finalizer of splitmix64). */
static inline uint64_t hash_mix(uint64_t number) {
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

#endif
