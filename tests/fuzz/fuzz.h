/* fuzz.h - what the fuzz targets share: their entry, a check that holds in every build, input as text.
 *
 * A target is a pure function of its input: no clock, no randomness, no state that outlives a call, so that the
 * file that libFuzzer writes reproduces what it has found. Where a target wants strings, the input's zero bytes end
 * them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_FUZZ_FUZZ_H
#define WEIR_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with each input; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Not assert(): NDEBUG must not switch a finding off. */
#define FUZZ_REQUIRE(condition)                                                                                    \
    do {                                                                                                           \
        if (!(condition)) {                                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                         \
            abort();                                                                                               \
        }                                                                                                          \
    } while (0)

/* Exactly `size` bytes, so that the sanitizer sees one too many. */
static inline void *fuzz_allocate(size_t size) {
    void *memory = malloc(size);
    FUZZ_REQUIRE(memory != NULL || size == 0);
    return memory;
}

/* A terminated copy. */
static inline char *fuzz_text(const void *bytes, size_t size) {
    char *text = fuzz_allocate(size + 1);
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

/* Cuts the next line off *text and returns it, NULL after the last one. */
static inline char *fuzz_next_line(char **text) {
    return *text == NULL ? NULL : strsep(text, "\n");
}

#endif
