/* test_frame.c - headers as RFC 6455 5.7 shows them; masking against the definition, at every size and alignment.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "ws/decoder.h"
#include "ws/frame.h"

static const struct {
    uint8_t opcode;
    uint64_t size;
    size_t header_size;
    uint8_t header[FRAME_HEADER_MAX];
} headers[] = {
    {OPCODE_TEXT, 0, 2, {0x81, 0}},
    {OPCODE_TEXT, 5, 2, {0x81, 5}},
    {OPCODE_PONG, 125, 2, {0x8A, 125}},
    {OPCODE_BINARY, 126, 4, {0x82, 126, 0, 126}},
    {OPCODE_BINARY, 256, 4, {0x82, 126, 1, 0}},
    {OPCODE_TEXT, 65535, 4, {0x81, 126, 0xFF, 0xFF}},
    {OPCODE_BINARY, 65536, 10, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    {OPCODE_BINARY, 0x0123456789ABCDEF, 10, {0x82, 127, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}},
};

START_TEST(frame_header_takes_the_shortest_form) {
    uint8_t header[FRAME_HEADER_MAX];
    ck_assert_uint_eq(frame_header(header, headers[_i].opcode, headers[_i].size), headers[_i].header_size);
    ck_assert_mem_eq(header, headers[_i].header, headers[_i].header_size);
    ck_assert_uint_eq(frame_header_size(headers[_i].size), headers[_i].header_size);
}
END_TEST

START_TEST(frame_header_masked_ends_in_the_mask) {
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t size = headers[_i].header_size;
    uint8_t header[FRAME_HEADER_MAX], expected[FRAME_HEADER_MAX];
    memcpy(expected, headers[_i].header, size);
    expected[1] |= 0x80;
    memcpy(expected + size, mask, sizeof mask);
    ck_assert_uint_eq(frame_header_masked(header, headers[_i].opcode, headers[_i].size, mask), size + sizeof mask);
    ck_assert_mem_eq(header, expected, size + sizeof mask);
}
END_TEST

START_TEST(frame_payload_finds_the_payload) {
    uint8_t frame[FRAME_HEADER_MAX];
    size_t size, header_size = frame_header(frame, headers[_i].opcode, headers[_i].size);
    ck_assert_ptr_eq(frame_payload(frame, &size), frame + header_size);
    ck_assert_uint_eq(size, headers[_i].size);
}
END_TEST

START_TEST(frame_mask_agrees_with_the_rfc_example) {
    uint8_t bytes[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};
    frame_mask(bytes, sizeof bytes, (const uint8_t[]){0x37, 0xfa, 0x21, 0x3d});
    ck_assert_mem_eq(bytes, "Hello", 5);
}
END_TEST

/* Sizes around every step of the loop, at every alignment; the bytes around are unchanged. */
START_TEST(frame_mask_agrees_with_the_definition) {
    static const uint8_t mask[4] = {0x01, 0x82, 0x43, 0xC4};
    uint8_t bytes[160], expected[160];
    for (size_t offset = 0; offset < 16; offset++)
        for (size_t size = 0; size <= 130; size++) {
            for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = expected[i] = (uint8_t)(i * 31);
            for (size_t i = 0; i < size; i++)
                expected[offset + i] ^= mask[i % 4];
            frame_mask(bytes + offset, size, mask);
            ck_assert_mem_eq(bytes, expected, sizeof bytes);
        }
}
END_TEST

/* From every alignment to every other. */
START_TEST(frame_mask_to_masks_at_every_alignment) {
    enum { ROOM = 200 };
    static const uint8_t mask[4] = {0x01, 0x82, 0x43, 0xC4};
    uint8_t from[ROOM], to[ROOM], expected[ROOM];
    for (size_t i = 0; i < ROOM; i++)
        from[i] = (uint8_t)(i * 31);
    for (size_t shift = 0; shift < 32 * 32; shift++)
        for (size_t size = 0; size <= 130; size += size < 40 ? 1 : 9) {
            size_t source = shift % 32, target = shift / 32;
            memset(to, 0, ROOM);
            memset(expected, 0, ROOM);
            for (size_t i = 0; i < size; i++)
                expected[target + i] = from[source + i] ^ mask[i % 4];
            frame_mask_to(to + target, from + source, size, mask);
            ck_assert_mem_eq(to, expected, ROOM);
        }
}
END_TEST

Suite *frame_suite(void) {
    Suite *suite = suite_create("frame");
    TCase *tcase = tcase_create("frame");
    tcase_add_loop_test(tcase, frame_header_takes_the_shortest_form, 0, sizeof headers / sizeof *headers);
    tcase_add_loop_test(tcase, frame_header_masked_ends_in_the_mask, 0, sizeof headers / sizeof *headers);
    tcase_add_loop_test(tcase, frame_payload_finds_the_payload, 0, sizeof headers / sizeof *headers);
    tcase_add_test(tcase, frame_mask_agrees_with_the_rfc_example);
    tcase_add_test(tcase, frame_mask_agrees_with_the_definition);
    tcase_add_test(tcase, frame_mask_to_masks_at_every_alignment);
    suite_add_tcase(suite, tcase);
    return suite;
}
