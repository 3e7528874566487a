/* test_deflate.c - DEFLATE in both directions: sizes, windows, limits, errors.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/deflate_data.h"
#include "tests/unit/suites.h"
#include "ws/buffer.h"
#include "ws/deflate.h"
#include "ws/extension.h"

enum { MIB = 1 << 20 };

/* --- Streams ---------------------------------------------------------------------------------------------- */

static void check_inflates(struct inflater *inflater, struct bytes in, const void *data, size_t size) {
    uint8_t *message;
    size_t message_size;
    ck_assert_int_eq(inflater_run(inflater, in.at, in.size, size, &message, &message_size), INFLATE_DONE);
    ck_assert_uint_eq(message_size, size);
    ck_assert_int_eq(message == NULL, size == 0);
    if (size > 0)
        ck_assert_mem_eq(message, data, size);
    buffer_release(message);
}

static void check_there_and_back(struct deflater *deflater, struct inflater *inflater, enum kind kind,
                                 size_t size) {
    uint8_t *data = data_of(kind, size);
    struct bytes compressed = deflated(deflater, data, size);
    check_inflates(inflater, compressed, data, size);
    free(compressed.at);
    free(data);
}

static const size_t sizes[] = {1,     2,     3,     125,   126,   255,   256,   257, 1000,    4096,
                               32767, 32768, 32769, 65535, 65536, 65537, 70000, 5,   MIB - 1, MIB};

/* Without takeover both sides are reset before each message; otherwise their windows span all messages. */
static void check_all_sizes(unsigned bits, bool takeover) {
    struct deflater *deflater = deflater_create(bits);
    struct inflater *inflater = inflater_create(bits);
    for (enum kind kind = ZEROS; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            if (!takeover) {
                deflater_reset(deflater);
                inflater_reset(inflater);
            }
            check_there_and_back(deflater, inflater, kind, sizes[i]);
        }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}

START_TEST(deflate_round_trips_each_message_by_itself) {
    check_all_sizes((unsigned)_i, false);
}
END_TEST

START_TEST(deflate_round_trips_with_context_takeover) {
    check_all_sizes((unsigned)_i, true);
}
END_TEST

/* Incompressible data needs the most room, and not always the same. */
START_TEST(deflate_bound_is_enough_at_every_size) {
    struct deflater *deflater = deflater_create((unsigned)_i);
    struct inflater *inflater = inflater_create((unsigned)_i);
    for (size_t size = 1; size < 9000; size += size < 600 ? 1 : 97)
        check_there_and_back(deflater, inflater, NOISE, size);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(deflate_finds_repeats_until_reset) {
    struct deflater *deflater = deflater_create(12);
    uint8_t *data = data_of(NOISE, 1000);
    struct bytes first = deflated(deflater, data, 1000), second = deflated(deflater, data, 1000);
    ck_assert_uint_ge(first.size, 1000);
    ck_assert_uint_lt(second.size, 100);
    deflater_reset(deflater);
    struct bytes third = deflated(deflater, data, 1000);
    ck_assert_uint_eq(third.size, first.size);
    ck_assert_mem_eq(third.at, first.at, first.size);
    free(first.at);
    free(second.at);
    free(third.at);
    free(data);
    deflater_destroy(deflater);
}
END_TEST

/* Without room for everything and deflate_tail the result is 0, and the next message has no context. */
static void check_capacity(struct deflater *deflater, const uint8_t *data, size_t size, struct bytes whole,
                           size_t capacity) {
    struct bytes out = {.at = malloc(capacity + (capacity == 0))};
    deflater_reset(deflater);
    out.size = deflater_run(deflater, data, size, out.at, capacity);
    if (capacity < whole.size)
        ck_assert_uint_eq(out.size, 0);
    if (capacity > whole.size + sizeof deflate_tail)
        ck_assert_uint_eq(out.size, whole.size);
    if (out.size > 0)
        ck_assert_mem_eq(out.at, whole.at, whole.size);
    else {
        struct bytes again = deflated(deflater, data, size);
        ck_assert_uint_eq(again.size, whole.size);
        ck_assert_mem_eq(again.at, whole.at, whole.size);
        free(again.at);
    }
    free(out.at);
}

START_TEST(deflate_with_too_little_room_resets_its_state) {
    struct deflater *deflater = deflater_create(12);
    for (enum kind kind = ZEROS; kind < KINDS; kind++) {
        size_t size = kind == NOISE ? 500 : 3000;
        uint8_t *data = data_of(kind, size);
        deflater_reset(deflater);
        struct bytes whole = deflated(deflater, data, size);
        for (size_t capacity = 0; capacity<whole.size + 10; capacity += whole.size> 1000 ? 37 : 1)
            check_capacity(deflater, data, size, whole, capacity);
        free(whole.at);
        free(data);
    }
    deflater_destroy(deflater);
}
END_TEST

/* --- Limits, faults --------------------------------------------------------------------------------------- */

static enum inflate_result result_of(struct inflater *inflater, struct bytes in, size_t max) {
    uint8_t *message;
    size_t size;
    enum inflate_result result = inflater_run(inflater, in.at, in.size, max, &message, &size);
    if (result != INFLATE_DONE)
        ck_assert(message == NULL && size == 0);
    ck_assert_uint_le(size, max);
    buffer_release(message);
    return result;
}

START_TEST(inflate_limits_size_to_the_byte) {
    static const size_t limits[] = {1, 2, 255, 256, 257, 1000, 65536, MIB};
    struct deflater *deflater = deflater_create(15);
    struct inflater *inflater = inflater_create(15);
    for (enum kind kind = ZEROS; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            uint8_t *data = data_of(kind, limits[i]);
            deflater_reset(deflater);
            struct bytes in = deflated(deflater, data, limits[i]);
            inflater_reset(inflater);
            ck_assert_int_eq(result_of(inflater, in, limits[i] - 1), INFLATE_TOO_BIG);
            inflater_reset(inflater);
            check_inflates(inflater, in, data, limits[i]);
            free(in.at);
            free(data);
        }
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

static const struct {
    const char *name, *expected;
    struct bytes in;
} wholes[] = {
    {"one block", "Hello", B(HELLO)},
    {"a stored block", "Hello", B(HELLO_PLAIN)},
    {"a final block", "Hello", B(HELLO_FINAL)},
    {"two blocks", "Hello", B(HELLO_TWICE)},
    {"no byte at all", "", B("")},
    {"an empty stored block", "", B("\x00")},
    {"an empty fixed block", "", B("\x02\x00")},
    {"an empty final block", "", B("\x03\x00\x00")},
    {"two final blocks", "HelloHello", B("\xf3\x48\xcd\xc9\xc9\x07\x00" HELLO_FINAL)},
    {"a final stored block", "Hi", B("\x01\x02\x00\xfd\xffHi\x00")},
    {"empty blocks before", "Hello", B("\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff" HELLO)},
};

START_TEST(inflate_takes_every_kind_of_block) {
    struct inflater *inflater = inflater_create(15);
    for (int times = 0; times < 3; times++)
        check_inflates(inflater, wholes[_i].in, wholes[_i].expected, strlen(wholes[_i].expected));
    inflater_destroy(inflater);
}
END_TEST

static const struct bytes faults[] = {
    B("\x06"),                      /* the reserved type of block */
    B("\x07"),                      /* likewise, final */
    B("\x00\x05\x00\xfa\xfeHello"), /* a length that is not confirmed */
    B(HELLO_AGAIN),                 /* nothing to refer to */
    B("\xff\xff\xff\xff"),
    B("\x04\x00\x00\x00\x00\x00\x00\x00"), /* dynamic codes of length 0 */
    B(HELLO "\x06"),
    B("Hello, world"),
};

/* Errors are found after any earlier message, and a reset recovers from them. */
START_TEST(inflate_refuses_invalid_data_and_recovers_by_reset) {
    struct inflater *inflater = inflater_create(15);
    ck_assert_int_eq(result_of(inflater, faults[_i], 1000), INFLATE_INVALID);
    inflater_reset(inflater);
    check_inflates(inflater, (struct bytes)B(HELLO), "Hello", 5);
    inflater_reset(inflater);
    check_inflates(inflater, (struct bytes)B(HELLO_FINAL), "Hello", 5);
    inflater_reset(inflater);
    ck_assert_int_eq(result_of(inflater, faults[_i], 1000), INFLATE_INVALID);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(inflate_window_outlives_a_final_block) {
    struct inflater *inflater = inflater_create(15);
    check_inflates(inflater, (struct bytes)B(HELLO_FINAL), "Hello", 5);
    check_inflates(inflater, (struct bytes)B(HELLO_AGAIN), "Hello", 5);
    inflater_destroy(inflater);
}
END_TEST

/* For these it is known where deflate_tail completes a truncated block. */
START_TEST(inflate_refuses_truncated_messages) {
    static const struct {
        struct bytes in;
        const char *whole_at; /* the sizes that are a message, too */
    } cases[] = {{B(HELLO), ""}, {B(HELLO_PLAIN), "\x01\x06"}, {B(HELLO_FINAL), ""}, {B(HELLO_TWICE), "\x04"}};
    struct bytes in = cases[_i].in;
    struct inflater *inflater = inflater_create(15);
    for (size_t size = 1; size < in.size; size++) {
        bool whole = strchr(cases[_i].whole_at, (int)size) != NULL;
        inflater_reset(inflater);
        ck_assert_msg(result_of(inflater, (struct bytes){in.at, size}, 1000) ==
                          (whole ? INFLATE_DONE : INFLATE_INVALID),
                      "%zu bytes of case %d", size, _i);
    }
    inflater_destroy(inflater);
}
END_TEST

/* A dynamic block has no such place. */
START_TEST(inflate_refuses_a_truncated_long_message) {
    struct deflater *deflater = deflater_create(15);
    struct inflater *inflater = inflater_create(15);
    uint8_t *data = data_of(WORDS, 1000);
    struct bytes in = deflated(deflater, data, 1000);
    for (size_t size = 1; size < in.size; size++) {
        inflater_reset(inflater);
        ck_assert_int_eq(result_of(inflater, (struct bytes){in.at, size}, 2000), INFLATE_INVALID);
    }
    free(in.at);
    free(data);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

/* The window of the previous message, to its last byte and beyond: "257, distance" in a fixed block by hand. */
START_TEST(inflate_refuses_distances_beyond_the_window) {
    static const struct {
        unsigned bits;
        struct bytes within, beyond;
    } cases[] = {
        {8, B("\x02\xfa\x1f\x00"), B("\x02\x06\x00\x00")},     /* 256, 257 */
        {9, B("\x02\xc6\x3f\x00"), B("\x02\x26\x00\x00\x00")}, /* 512, 513 */
    };
    uint8_t *data = data_of(NOISE, 2000);
    struct deflater *deflater = deflater_create(cases[_i].bits);
    struct inflater *inflater = inflater_create(cases[_i].bits);
    struct bytes before = deflated(deflater, data, 2000);
    check_inflates(inflater, before, data, 2000);
    check_inflates(inflater, cases[_i].within, data + 2000 - ((size_t)1 << cases[_i].bits), 3);
    inflater_reset(inflater);
    check_inflates(inflater, before, data, 2000);
    ck_assert_int_eq(result_of(inflater, cases[_i].beyond, 1000), INFLATE_INVALID);
    free(before.at);
    free(data);
    deflater_destroy(deflater);
    inflater_destroy(inflater);
}
END_TEST

START_TEST(inflate_takes_many_final_blocks_in_one_message) {
    enum { COUNT = 100000, BLOCK = sizeof HELLO_FINAL - 2 };
    struct bytes in = {.at = malloc(COUNT * BLOCK + 1), .size = COUNT * BLOCK + 1};
    uint8_t *expected = malloc(COUNT * 5);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(in.at + i * BLOCK, HELLO_FINAL, BLOCK);
        memcpy(expected + i * 5, "Hello", 5);
    }
    in.at[COUNT * BLOCK] = 0;
    struct inflater *inflater = inflater_create(15);
    check_inflates(inflater, in, expected, COUNT * 5);
    ck_assert_int_eq(result_of(inflater, in, COUNT * 5 - 1), INFLATE_TOO_BIG);
    inflater_destroy(inflater);
    free(in.at);
    free(expected);
}
END_TEST

Suite *deflate_suite(void) {
    Suite *suite = suite_create("deflate");
    TCase *tcase = tcase_create("deflate");
    tcase_add_loop_test(tcase, deflate_round_trips_each_message_by_itself, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_loop_test(tcase, deflate_round_trips_with_context_takeover, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_loop_test(tcase, deflate_bound_is_enough_at_every_size, WINDOW_BITS_MIN, WINDOW_BITS_MAX + 1);
    tcase_add_test(tcase, deflate_finds_repeats_until_reset);
    tcase_add_test(tcase, deflate_with_too_little_room_resets_its_state);
    tcase_add_test(tcase, inflate_limits_size_to_the_byte);
    tcase_add_loop_test(tcase, inflate_takes_every_kind_of_block, 0, sizeof wholes / sizeof *wholes);
    tcase_add_loop_test(tcase, inflate_refuses_invalid_data_and_recovers_by_reset, 0,
                        sizeof faults / sizeof *faults);
    tcase_add_test(tcase, inflate_window_outlives_a_final_block);
    tcase_add_loop_test(tcase, inflate_refuses_truncated_messages, 0, 4);
    tcase_add_test(tcase, inflate_refuses_a_truncated_long_message);
    tcase_add_loop_test(tcase, inflate_refuses_distances_beyond_the_window, 0, 2);
    tcase_add_test(tcase, inflate_takes_many_final_blocks_in_one_message);
    suite_add_tcase(suite, tcase);
    return suite;
}
