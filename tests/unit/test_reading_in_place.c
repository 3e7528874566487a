/* test_reading_in_place.c - the decoder, when the rest of a large frame is read directly into the message.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "tests/unit/transcript.h"

/* A large payload is read in place; control frames, small frames and the beginning of a large one are not. */
START_TEST(decoder_reads_large_frames_in_place) {
    static const size_t chunks[] = {1000, 32768, 65536, 1 << 20};
    static const char *const letters_of[] = {"abcdefgh", "\xe2\x82\xac", "\xf0\x9f\x9a\xaa"};
    struct decoder_limits limits = {.max_message_size = 1 << 20, .expect_masked = true};
    enum { FIRST = 150000, SECOND = 200001, SIZE = FIRST + SECOND };
    const char *letter = letters_of[_i % 3];
    size_t length = strlen(letter);
    char *text = wire_letters(SIZE);
    for (size_t at = 0; at + length <= SIZE - 1; at += length)
        memcpy(text + at, letter, length);
    struct wire wire = {0};
    wire_frame(&wire, 0x01, text, FIRST);
    wire_frame(&wire, 0x89, "in between", 10);
    wire_frame(&wire, 0x80, text + FIRST, SECOND);
    wire_frame(&wire, 0x82, text, SIZE);
    wire_frame(&wire, 0x81, "small", 5);
    struct transcript expected = {0}, transcript = {.limits = limits};
    transcript_event(&expected, "ping", 0, "in between", 10);
    transcript_event(&expected, "text", 0, text, SIZE);
    transcript_event(&expected, "binary", 0, text, SIZE);
    transcript_event(&expected, "text", 0, "small", 5);
    unsigned in_place = transcript_read(&transcript, wire.bytes, wire.size, chunks[_i / 3]);
    if (chunks[_i / 3] < 1 << 20)
        ck_assert_uint_gt(in_place, 5);
    ck_assert_str_eq(transcript.text, expected.text);
    transcript_release(&transcript);
    transcript_release(&expected);
    wire_release(&wire);
    free(text);
}
END_TEST

/* A reload may lower the limit while a frame within the old limit arrives. */
START_TEST(decoder_finishes_a_frame_after_the_limit_was_lowered) {
    enum { SIZE = 300000 };
    char *text = wire_letters(SIZE);
    struct wire wire = {0};
    wire_frame(&wire, 0x01, text, SIZE);
    struct decoder decoder = {0};
    struct decoder_limits limits = {.max_message_size = 1 << 20, .expect_masked = true};
    struct decoded decoded;
    size_t fed = 140000, room;
    decoder_feed(&decoder, &limits, wire.bytes, fed, &decoded);
    limits.max_message_size = 1000;
    while (wire.size - fed >= 100000) {
        uint8_t *place = decoder_room(&decoder, &limits, &room);
        ck_assert_ptr_nonnull(place);
        ck_assert_uint_gt(room, 10000);
        size_t size = room < wire.size - fed ? room : wire.size - fed;
        memcpy(place, wire.bytes + fed, size);
        decoder_filled(&decoder, &limits, size, &decoded);
        ck_assert_int_eq(decoded.event, DECODER_MORE);
        fed += size;
    }
    decoder_release(&decoder);
    wire_release(&wire);
    free(text);
}
END_TEST

START_TEST(decoder_finds_invalid_utf8_in_place_at_once) {
    enum { SIZE = 300000, WRONG = 210000 };
    struct decoder_limits limits = {.max_message_size = 1 << 20, .expect_masked = true};
    char *text = wire_letters(SIZE);
    text[WRONG] = '\xff';
    struct wire wire = {0};
    wire_frame(&wire, 0x81, text, SIZE);
    struct transcript transcript = {.limits = limits};
    ck_assert_uint_gt(transcript_read(&transcript, wire.bytes, wire.size, 1000), 50);
    ck_assert_str_eq(transcript.text, "error 1007; ");
    ck_assert_uint_gt(transcript.last_event_at, 14 + WRONG);
    ck_assert_uint_le(transcript.last_event_at, 14 + WRONG + 1000); /* with the read that brought it */
    transcript_release(&transcript);
    wire_release(&wire);
    free(text);
}
END_TEST

Suite *reading_in_place_suite(void) {
    Suite *suite = suite_create("reading_in_place");
    TCase *tcase = tcase_create("reading_in_place");
    tcase_add_loop_test(tcase, decoder_reads_large_frames_in_place, 0, 12);
    tcase_add_test(tcase, decoder_finishes_a_frame_after_the_limit_was_lowered);
    tcase_add_test(tcase, decoder_finds_invalid_utf8_in_place_at_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
