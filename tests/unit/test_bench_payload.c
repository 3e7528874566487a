/* test_bench_payload.c - messages of the load tester: generated from numbers, recognised and checked; and which of
 * them a receiver has got.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "commands/bench/load/payload.h"
#include "commands/bench/load/sequence.h"
#include "tests/unit/suites.h"
#include "ws/frame.h"

static struct payload make(enum scenario scenario, size_t size_min, size_t size_max) {
    const struct settings settings = {
        .scenario = scenario, .size_min = size_min, .size_max = size_max, .text = true, .max_size = 1 << 20};
    struct payload payload;
    char error[256];
    ck_assert_msg(payload_create(&payload, &settings, error, sizeof error), "%s", error);
    return payload;
}

static const struct {
    enum scenario scenario;
    size_t least, most;
} kinds[] = {{SCENARIO_ECHO, 0, 0},        {SCENARIO_ECHO, 8, 8},         {SCENARIO_ECHO, 9, 9},
             {SCENARIO_ECHO, 0, 300},      {SCENARIO_ECHO, 20, 20},       {SCENARIO_RATE, 125, 126},
             {SCENARIO_RATE, 1000, 1000},  {SCENARIO_ECHO, 65535, 65536}, {SCENARIO_BROADCAST, 18, 18},
             {SCENARIO_BROADCAST, 20, 500}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* A server decodes from the frame the bytes that payload_write() writes and payload_check() accepts. */
START_TEST(payload_frame_decodes_to_the_written_message) {
    static uint8_t frame[PAYLOAD_HEAD_MAX + 65536], plain[65536];
    struct payload payload = make(kinds[_i].scenario, kinds[_i].least, kinds[_i].most);
    const struct decoder_limits limits = {.max_message_size = 1 << 20, .expect_masked = true};
    for (uint64_t number = 0; number < 50; number++) {
        const struct identity identity = {.sender = 70000, .number = number * 1234567, .time = number << 40};
        struct payload_tail tail;
        size_t size = payload_frame_head(&payload, &identity, frame, &tail);
        memcpy(frame + size, tail.bytes, tail.size);
        size += tail.size;
        ck_assert_uint_eq(size, payload_frame_size(&payload, &identity));
        struct decoder decoder = {0};
        struct decoded decoded;
        ck_assert_uint_eq(decoder_feed(&decoder, &limits, frame, size, &decoded), size);
        ck_assert_int_eq(decoded.event, DECODER_MESSAGE);
        ck_assert_int_eq(decoded.opcode, OPCODE_TEXT);
        ck_assert_uint_ge(decoded.size, kinds[_i].least);
        ck_assert_uint_le(decoded.size, kinds[_i].most);
        payload_write(&payload, &identity, plain);
        ck_assert_uint_eq(decoded.size, payload_size(&payload, &identity));
        ck_assert(memcmp(decoded.data, plain, decoded.size) == 0);
        ck_assert_ptr_null(payload_check(&payload, &identity, decoded.data, decoded.size));
        decoder_release(&decoder);
    }
    payload_release(&payload);
}
END_TEST

START_TEST(payload_check_finds_any_changed_byte) {
    uint8_t plain[512];
    struct payload payload = make(kinds[_i].scenario, 200, 200);
    const struct identity identity = {.sender = 3, .number = 99, .time = 12345};
    payload_write(&payload, &identity, plain);
    for (size_t at = 0; at < 200; at++) {
        plain[at] ^= 1;
        ck_assert_ptr_nonnull(payload_check(&payload, &identity, plain, 200));
        plain[at] ^= 1;
    }
    ck_assert_ptr_nonnull(payload_check(&payload, &identity, plain, 199));
    const struct identity other = {.sender = 3, .number = 100, .time = 12345};
    ck_assert_str_eq(payload_check(&payload, &other, plain, 200), "it is not the next one");
    payload_release(&payload);
}
END_TEST

START_TEST(payload_of_a_broadcast_names_its_sender) {
    uint8_t plain[100];
    struct payload payload = make(SCENARIO_BROADCAST, 18, 100);
    const struct identity identity = {.sender = (1 << 24) - 1, .number = (1 << 30) - 1, .time = UINT64_C(1) << 53};
    struct identity found;
    payload_write(&payload, &identity, plain);
    ck_assert(payload_identify(plain, payload_size(&payload, &identity), &found));
    ck_assert_uint_eq(found.sender, identity.sender);
    ck_assert_uint_eq(found.number, identity.number);
    ck_assert_uint_eq(found.time, identity.time);
    ck_assert(!payload_identify(plain, 17, &found));
    plain[5] = '~';
    ck_assert(!payload_identify(plain, 18, &found));
    payload_release(&payload);
}
END_TEST

START_TEST(sequence_tells_new_repeated_and_late_messages_apart) {
    static const struct {
        uint32_t number;
        enum sequence_result result;
    } steps[] = {{0, SEQUENCE_NEW},   {1, SEQUENCE_NEW},     {1, SEQUENCE_AGAIN},  {0, SEQUENCE_AGAIN},
                 {4, SEQUENCE_NEW},   {2, SEQUENCE_LATE},    {2, SEQUENCE_AGAIN},  {3, SEQUENCE_LATE},
                 {67, SEQUENCE_NEW},  {4, SEQUENCE_AGAIN},   {5, SEQUENCE_LATE},   {66, SEQUENCE_LATE},
                 {200, SEQUENCE_NEW}, {136, SEQUENCE_AGAIN}, {137, SEQUENCE_LATE}, {199, SEQUENCE_LATE}};
    struct sequence sequence = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        ck_assert_msg(sequence_hear(&sequence, steps[i].number) == steps[i].result, "step %zu", i);
}
END_TEST

START_TEST(sequence_numbers_wrap) {
    struct sequence sequence = {.next = (1 << 30) - 1};
    ck_assert_int_eq(sequence_hear(&sequence, (1 << 30) - 1), SEQUENCE_NEW);
    ck_assert_int_eq(sequence_hear(&sequence, 1), SEQUENCE_NEW);
    ck_assert_int_eq(sequence_hear(&sequence, 0), SEQUENCE_LATE);
    ck_assert_int_eq(sequence_hear(&sequence, (1 << 30) - 1), SEQUENCE_AGAIN);
}
END_TEST

Suite *bench_payload_suite(void) {
    Suite *suite = suite_create("bench_payload");
    TCase *tcase = tcase_create("bench_payload");
    tcase_add_loop_test(tcase, payload_frame_decodes_to_the_written_message, 0, KINDS);
    tcase_add_loop_test(tcase, payload_check_finds_any_changed_byte, KINDS - 2, KINDS);
    tcase_add_test(tcase, payload_of_a_broadcast_names_its_sender);
    tcase_add_test(tcase, sequence_tells_new_repeated_and_late_messages_apart);
    tcase_add_test(tcase, sequence_numbers_wrap);
    suite_add_tcase(suite, tcase);
    return suite;
}
