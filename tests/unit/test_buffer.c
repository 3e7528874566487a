/* test_buffer.c - buffers of every kind of size: contents survive a resize, kept buffers are used again and
 * bounded.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "ws/buffer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { KEEPS = 0 };
#else
enum { KEEPS = 1 };
#endif

enum { KIB = 1024, MIB = 1024 * KIB };

/* Made once, copied and compared as a whole: byte by byte takes a quarter of a minute under a sanitizer. */
static uint8_t pattern[9 * MIB];

static void make_pattern(void) {
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 31 >> 3);
}

static void fill(uint8_t *buffer, size_t size) {
    memcpy(buffer, pattern, size);
}

static void check(const uint8_t *buffer, size_t size) {
    ck_assert_mem_eq(buffer, pattern, size);
}

/* From every size to every other, around the bounds of the kinds. */
START_TEST(buffer_resize_keeps_contents_at_every_size) {
    static const size_t sizes[] = {0,       1,           100,     32 * KIB, 32 * KIB + 1, 64 * KIB, 100 * KIB,
                                   1 * MIB, 1 * MIB + 1, 3 * MIB, 4 * MIB,  4 * MIB + 1,  9 * MIB,  128 * KIB};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    make_pattern();
    for (size_t i = 0; i < (size_t)COUNT * COUNT; i++) {
        size_t before = sizes[i / COUNT], after = sizes[i % COUNT], used = before < after ? before : after;
        uint8_t *buffer = buffer_resize(NULL, 0, before);
        ck_assert_ptr_nonnull(buffer);
        ck_assert_uint_eq((uintptr_t)buffer % 16, 0);
        memset(buffer - BUFFER_HEADROOM, 0xFF, BUFFER_HEADROOM); /* it is ours */
        fill(buffer, before);
        buffer = buffer_resize(buffer, used, after);
        ck_assert_ptr_nonnull(buffer);
        check(buffer, used);
        fill(buffer, after);
        check(buffer, after);
        buffer_release(buffer);
    }
    buffers_trim();
}
END_TEST

START_TEST(released_large_buffer_is_used_again) {
    buffers_trim();
    uint8_t *buffer = buffer_resize(NULL, 0, MIB - 100);
    buffer_release(buffer);
    uint8_t *small = buffer_resize(NULL, 0, 1000), *again = buffer_resize(NULL, 0, MIB);
    if (KEEPS)
        ck_assert_ptr_eq(again, buffer);
    ck_assert_uint_eq(buffers_trim(), 0);
    buffer_release(again);
    buffer_release(small);
    ck_assert_uint_eq(buffers_trim(), KEEPS * MIB);
    ck_assert_uint_eq(buffers_trim(), 0);
}
END_TEST

START_TEST(released_buffers_kept_are_bounded) {
    enum { COUNT = 200 };
    static const size_t sizes[] = {64 * KIB, 1 * MIB, 4 * MIB};
    uint8_t *buffers[COUNT];
    for (size_t kind = 0; kind < sizeof sizes / sizeof *sizes; kind++) {
        for (int i = 0; i < COUNT; i++)
            ck_assert_ptr_nonnull(buffers[i] = buffer_resize(NULL, 0, sizes[kind]));
        for (int i = 0; i < COUNT; i++)
            buffer_release(buffers[i]);
    }
    buffer_release(buffer_resize(NULL, 0, 5 * MIB)); /* larger ones are not kept at all */
    size_t freed = buffers_trim();
    ck_assert_uint_le(freed, BUFFERS_KEPT_MAX);
    ck_assert_uint_ge(freed, KEEPS * BUFFERS_KEPT_MAX / 2);
}
END_TEST

/* memory_limit counts the allocated size. */
START_TEST(buffer_size_is_the_allocated_size) {
    static const struct {
        size_t asked, size;
    } cases[] = {{0, 0},
                 {1, 1},
                 {BUFFER_EXACT_MAX, BUFFER_EXACT_MAX},
                 {BUFFER_EXACT_MAX + 1, 64 * KIB},
                 {64 * KIB + 1, 128 * KIB},
                 {2 * MIB + 1, 4 * MIB},
                 {4 * MIB + 1, 4 * MIB + 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *buffer = buffer_resize(NULL, 0, cases[i].asked);
        ck_assert_uint_eq(buffer_size(buffer), cases[i].size);
        buffer_release(buffer);
    }
    ck_assert_uint_eq(buffer_size(NULL), 0);
    buffers_trim();
}
END_TEST

Suite *buffer_suite(void) {
    Suite *suite = suite_create("buffer");
    TCase *tcase = tcase_create("buffer");
    tcase_add_test(tcase, buffer_resize_keeps_contents_at_every_size);
    tcase_add_test(tcase, buffer_size_is_the_allocated_size);
    tcase_add_test(tcase, released_large_buffer_is_used_again);
    tcase_add_test(tcase, released_buffers_kept_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}
