/* utf8_vector.c - UTF-8 by table lookup, 32 bytes at a time with AVX2: Keiser and Lemire, "Validating UTF-8 In
 * Less Than One Instruction Per Byte", 2021. It is chosen at run time, because the binary also runs on processors
 * without AVX2. There, and on other architectures, the plain validation does all the work.
 *
 * Two consecutive bytes show most of what can be wrong with them. Each of three tables maps a half byte to the
 * errors that it may be part of; an error is what all three agree on. Where a third or fourth byte of a character
 * stands, two continuations in a row are right, which is checked separately.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/utf8_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

enum { STEP = 64, LANE = 32 };

/* What may be wrong with a byte and the one before it. */
enum {
    TOO_SHORT = 1 << 0,      /* a lead byte, then no continuation */
    TOO_LONG = 1 << 1,       /* ASCII, then a continuation */
    OVERLONG_3 = 1 << 2,     /* E0 80..9F */
    TOO_LARGE = 1 << 3,      /* F4 90..BF, F5..FF 80..BF, except TOO_LARGE_1000 */
    SURROGATE = 1 << 4,      /* ED A0..BF */
    OVERLONG_2 = 1 << 5,     /* C0, C1 */
    TOO_LARGE_1000 = 1 << 6, /* F5..FF 80..8F */
    OVERLONG_4 = 1 << 6,     /* F0 80..8F */
    TWO_CONTINUATIONS = 1 << 7,
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS /* whatever the lower half of the first byte is */
};

/* Tables for the first byte's upper half, its lower half, and the second byte's upper half. */
static const uint8_t first_high[16] = {TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TOO_LONG,
                                       TWO_CONTINUATIONS,
                                       TWO_CONTINUATIONS,
                                       TWO_CONTINUATIONS,
                                       TWO_CONTINUATIONS,
                                       TOO_SHORT | OVERLONG_2,
                                       TOO_SHORT,
                                       TOO_SHORT | OVERLONG_3 | SURROGATE,
                                       TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4};
static const uint8_t first_low[16] = {CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
                                      CARRY | OVERLONG_2,
                                      CARRY,
                                      CARRY,
                                      CARRY | TOO_LARGE,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000,
                                      CARRY | TOO_LARGE | TOO_LARGE_1000};
static const uint8_t second_high[16] = {TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_1000 |
                                            OVERLONG_4,
                                        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
                                        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
                                        TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT,
                                        TOO_SHORT};

AVX2 static inline __m256i load(const uint8_t *bytes) {
    return _mm256_loadu_si256((const __m256i *)bytes);
}

AVX2 static inline __m256i look_up(const uint8_t table[16], __m256i halves) {
    __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    return _mm256_shuffle_epi8(both, halves);
}

AVX2 static inline __m256i high_halves(__m256i bytes) {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

/* Not zero where these bytes have an error. `before` is the 32 bytes before them. A character that these bytes
 * leave unfinished is not an error yet. */
AVX2 static inline __m256i errors(__m256i bytes, __m256i before) {
    __m256i across = _mm256_permute2x128_si256(before, bytes, 0x21);
    __m256i back_1 = _mm256_alignr_epi8(bytes, across, 15);
    __m256i back_2 = _mm256_alignr_epi8(bytes, across, 14);
    __m256i back_3 = _mm256_alignr_epi8(bytes, across, 13);
    __m256i low_halves = _mm256_and_si256(back_1, _mm256_set1_epi8(0x0F));
    __m256i wrong =
        _mm256_and_si256(_mm256_and_si256(look_up(first_high, high_halves(back_1)), look_up(first_low, low_halves)),
                         look_up(second_high, high_halves(bytes)));
    __m256i third = _mm256_subs_epu8(back_2, _mm256_set1_epi8((char)(0xE0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(back_3, _mm256_set1_epi8((char)(0xF0 - 0x80)));
    __m256i must_continue =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)TWO_CONTINUATIONS));
    return _mm256_xor_si256(must_continue, wrong);
}

static inline size_t length_of(uint8_t lead) {
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* Subtracts the character that `size` bytes without an error may leave unfinished. */
static size_t whole_characters(const uint8_t *bytes, size_t size) {
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        uint8_t byte = bytes[size - back];
        if (byte >= 0xC0)
            return length_of(byte) > back ? size - back : size;
        if (byte < 0x80)
            break;
    }
    return size;
}

/* Not zero if these bytes leave a character unfinished. */
AVX2 static inline __m256i unfinished(__m256i bytes) {
    const __m256i most =
        _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                         -1, -1, -1, -1, -1, -1, (char)0xEF, (char)0xDF, (char)0xBF);
    return _mm256_subs_epu8(bytes, most);
}

/* ASCII needs no look-up: it is valid unless a character should continue there. */
AVX2 static size_t prefix_avx2(const uint8_t *bytes, size_t size) {
    __m256i before = _mm256_setzero_si256(), wrong;
    size_t at = 0;
    for (; size - at >= STEP; at += STEP) {
        __m256i first = load(bytes + at), second = load(bytes + at + LANE);
        if (_mm256_movemask_epi8(_mm256_or_si256(first, second)) == 0)
            wrong = unfinished(before);
        else
            wrong = _mm256_or_si256(errors(first, before), errors(second, first));
        if (!_mm256_testz_si256(wrong, wrong))
            break;
        before = second;
    }
    return whole_characters(bytes, at);
}

size_t utf8_vector_prefix(const uint8_t *bytes, size_t size) {
    return size >= STEP && __builtin_cpu_supports("avx2") ? prefix_avx2(bytes, size) : 0;
}

#else

size_t utf8_vector_prefix(const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
    return 0;
}

#endif
