/* deflate_data.c - see deflate_data.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/deflate_data.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/assertions.h"

const uint8_t deflate_tail[4] = {0x00, 0x00, 0xFF, 0xFF};

uint8_t *data_of(enum kind kind, size_t size) {
    static const char words[] = "{\"name\": \"value\", \"number\": 12345, \"list\": [1, 2, 3]} ";
    uint8_t *data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    uint64_t state = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint8_t noise = (uint8_t)(state >> 56);
        data[i] = kind == ZEROS   ? 0
                  : kind == WORDS ? (uint8_t)words[(i + i / 1000) % (sizeof words - 1)]
                  : kind == NOISE ? noise
                  : i < 5000      ? noise
                                  : data[i - 5000];
    }
    return data;
}

struct bytes deflated(struct deflater *deflater, const void *data, size_t size) {
    size_t bound = deflater_bound(deflater, size);
    struct bytes out = {.at = malloc(bound)};
    ck_assert_ptr_nonnull(out.at);
    out.size = deflater_run(deflater, data, size, out.at, bound);
    ck_assert_uint_gt(out.size, 0);
    ck_assert(out.size < sizeof deflate_tail ||
              memcmp(out.at + out.size - sizeof deflate_tail, deflate_tail, sizeof deflate_tail) != 0);
    return out;
}
