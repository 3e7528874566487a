/* test_utf8.c - every text is checked whole, byte by byte and cut in two at every place; long ones, which go
 * through vectors where the processor has them, against the same byte by byte, which never does.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/unit/suites.h"

#define B(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const uint8_t *bytes;
    size_t size;
} valid[] = {
    {B("")},
    {B("Hello")},
    {B("\0\x7f")},
    {B("\xc2\x80\xdf\xbf")},                 /* U+0080, U+07FF */
    {B("\xe0\xa0\x80\xef\xbf\xbf")},         /* U+0800, U+FFFF */
    {B("\xed\x9f\xbf\xee\x80\x80")},         /* around the surrogates */
    {B("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")}, /* U+10000, U+10FFFF */
    {B("\xef\xbb\xbfx")},                    /* a byte order mark is a character like others */
    {B("eight ASCII, \xce\xba\xe1\xbd\xb9\xcf\x83, then ASCII again, \xf0\x9f\x9a\xaa, and an end\xc3\xa9")},
};

static const struct {
    const uint8_t *bytes;
    size_t size;
} unfinished[] = {
    {B("\xc2")}, {B("\xe2")}, {B("\xe2\x82")}, {B("\xf0\x9f\x9a")}, {B("twelve ASCII\xf0\x90")},
};

/* `at`: the place of the first byte that no valid text can have. */
static const struct {
    const uint8_t *bytes;
    size_t size;
    size_t at;
} invalid[] = {
    {B("\x80"), 0}, /* a continuation alone */
    {B("abc\xbf"), 3},
    {B("\xc0\x80"), 0}, /* overlong, in two, three and four bytes */
    {B("\xc1\xbf"), 0},
    {B("\xe0\x9f\xbf"), 1},
    {B("\xf0\x8f\xbf\xbf"), 1},
    {B("\xed\xa0\x80"), 1}, /* surrogates */
    {B("\xed\xbf\xbf"), 1},
    {B("\xf4\x90\x80\x80"), 1}, /* above U+10FFFF */
    {B("\xf5\x80\x80\x80"), 0},
    {B("\xfe"), 0},
    {B("\xff"), 0},
    {B("\xc3("), 1}, /* cut short */
    {B("\xe2\x82("), 2},
    {B("\xe2\x82\xc2\x80"), 2},
    {B("\xf0\x9f\x9a("), 3},
    {B("\xc3\xa9\xa9"), 2}, /* one too many */
    {B("sixteen letters \x80"), 16},
    {B("seventeen letters\xff and more"), 17},
};

/* The number of bytes that were taken one by one before one was refused. */
static size_t accepted_bytewise(const uint8_t *bytes, size_t size) {
    struct utf8 utf8 = {0};
    size_t at = 0;
    while (at < size && utf8_feed(&utf8, bytes + at, 1))
        at++;
    return at;
}

static bool valid_in_two(const uint8_t *bytes, size_t size, size_t split) {
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, bytes, split) && utf8_feed(&utf8, bytes + split, size - split) && utf8_complete(&utf8);
}

START_TEST(utf8_accepts_valid_texts_at_every_split) {
    ck_assert(utf8_valid(valid[_i].bytes, valid[_i].size));
    ck_assert_uint_eq(accepted_bytewise(valid[_i].bytes, valid[_i].size), valid[_i].size);
    for (size_t split = 0; split <= valid[_i].size; split++)
        ck_assert(valid_in_two(valid[_i].bytes, valid[_i].size, split));
}
END_TEST

START_TEST(utf8_tells_unfinished_from_invalid_texts) {
    struct utf8 utf8 = {0};
    ck_assert(utf8_feed(&utf8, unfinished[_i].bytes, unfinished[_i].size));
    ck_assert(!utf8_complete(&utf8));
    ck_assert(!utf8_valid(unfinished[_i].bytes, unfinished[_i].size));
}
END_TEST

START_TEST(utf8_refuses_invalid_texts_at_the_first_wrong_byte) {
    ck_assert(!utf8_valid(invalid[_i].bytes, invalid[_i].size));
    ck_assert_uint_eq(accepted_bytewise(invalid[_i].bytes, invalid[_i].size), invalid[_i].at);
    for (size_t split = 0; split <= invalid[_i].size; split++)
        ck_assert(!valid_in_two(invalid[_i].bytes, invalid[_i].size, split));
    struct utf8 utf8 = {0};
    ck_assert(utf8_feed(&utf8, invalid[_i].bytes, invalid[_i].at));
    ck_assert(!utf8_feed(&utf8, invalid[_i].bytes + invalid[_i].at, 1));
}
END_TEST

START_TEST(utf8_finds_a_bad_byte_anywhere_in_ascii) {
    uint8_t text[50];
    for (size_t at = 0; at < sizeof text; at++)
        for (size_t start = 0; start <= at; start++) {
            memset(text, 'a', sizeof text);
            ck_assert(utf8_valid(text + start, sizeof text - start));
            text[at] = 0xFF;
            ck_assert(!utf8_valid(text + start, sizeof text - start));
            ck_assert(utf8_valid(text + start, at - start));
        }
}
END_TEST

static size_t encode(uint32_t character, uint8_t *bytes) {
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, character >>= 6)
        bytes[i] = (uint8_t)(0x80 | (character & 0x3F));
    bytes[0] = (uint8_t)(leads[size] | character);
    return size;
}

START_TEST(utf8_accepts_every_character_but_surrogates) {
    for (uint32_t character = 0; character < 0x120000; character++) {
        uint8_t bytes[4];
        size_t size = encode(character, bytes);
        bool surrogate = character >= 0xD800 && character <= 0xDFFF;
        if (utf8_valid(bytes, size) != (!surrogate && character <= 0x10FFFF))
            ck_abort_msg("U+%04X", (unsigned)character);
    }
}
END_TEST

/* Decodes and checks the number: another way to the same answer. */
static bool reference(const uint8_t *bytes, size_t size) {
    uint8_t lead = bytes[0], again[4];
    size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    if (length != size)
        return false;
    uint32_t character = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return false;
        character = character << 6 | (bytes[i] & 0x3Fu);
    }
    if (character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return false;
    return encode(character, again) == size;
}

/* All lead bytes with bytes around every bound; the length is that of the lead byte. */
START_TEST(utf8_agrees_with_the_reference_at_the_bounds) {
    static const uint8_t others[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    enum { COUNT = sizeof others };
    for (unsigned lead = 0x80; lead <= 0xFF; lead++)
        for (size_t i = 0; i < (size_t)COUNT * COUNT * COUNT; i++) {
            uint8_t bytes[] = {(uint8_t)lead, others[i % COUNT], others[i / COUNT % COUNT],
                               others[i / COUNT / COUNT]};
            size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            if (utf8_valid(bytes, length) != reference(bytes, length))
                ck_abort_msg("%02X %02X %02X %02X", bytes[0], bytes[1], bytes[2], bytes[3]);
        }
}
END_TEST

/* --- Long texts ------------------------------------------------------------------------------------------- */

enum { LONG_MAX = 512 };

/* In one piece, up to just before the first wrong byte, and with that byte; then in two, cut at `split`. */
static void check_against_bytewise(const uint8_t *bytes, size_t size, size_t split) {
    size_t accepted = accepted_bytewise(bytes, size);
    struct utf8 whole = {0}, first = {0}, bytewise = {0};
    for (size_t at = 0; at < accepted; at++)
        utf8_feed(&bytewise, bytes + at, 1);
    ck_assert(utf8_feed(&whole, bytes, accepted));
    ck_assert_uint_eq(whole.needed, bytewise.needed);
    if (whole.needed > 0)
        ck_assert_mem_eq(&whole, &bytewise, sizeof whole);
    if (accepted < size) {
        struct utf8 beyond = {0};
        ck_assert(!utf8_feed(&beyond, bytes, accepted + 1));
        ck_assert(!utf8_valid(bytes, size));
    } else
        ck_assert(utf8_valid(bytes, size) == utf8_complete(&bytewise));
    bool first_valid = utf8_feed(&first, bytes, split);
    ck_assert(first_valid == (accepted >= split));
    if (first_valid)
        ck_assert(utf8_feed(&first, bytes + split, size - split) == (accepted == size));
}

/* Fills with a character over and over; what is left over with ASCII. */
static void fill(uint8_t *bytes, size_t size, const char *character) {
    size_t length = strlen(character), at = 0;
    for (; size - at >= length; at += length)
        memcpy(bytes + at, character, length);
    memset(bytes + at, 'a', size - at);
}

static void check_embedded(const uint8_t *piece, size_t size) {
    static const char *const around[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xaa"};
    uint8_t text[LONG_MAX + 8];
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        for (size_t at = 0; at < 200; at++) {
            size_t offset = at % 8, end = at + size + 150;
            fill(text + offset, at, around[i]);
            memcpy(text + offset + at, piece, size);
            fill(text + offset + at + size, end - at - size, around[i]);
            check_against_bytewise(text + offset, end, at + size / 2);
            check_against_bytewise(text + offset, at + size, at); /* at the very end */
        }
}

START_TEST(utf8_checks_sequences_within_long_texts) {
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        check_embedded(valid[i].bytes, valid[i].size);
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++)
        check_embedded(unfinished[i].bytes, unfinished[i].size);
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        check_embedded(invalid[i].bytes, invalid[i].size);
}
END_TEST

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Characters of all lengths, and runs of ASCII; returns the size. */
static size_t random_text(uint32_t *seed, uint8_t *bytes) {
    static const uint32_t limits[] = {0x80, 0x800, 0xD800, 0x10FFFF};
    size_t size = 0, wanted = next_random(seed) % (LONG_MAX - 100);
    while (size < wanted) {
        uint32_t character = next_random(seed) % limits[next_random(seed) % 4];
        if (character >= 0xD800 && character <= 0xDFFF)
            character = 'x';
        size += encode(character, bytes + size);
        for (uint32_t run = next_random(seed) % 8 == 0 ? next_random(seed) % 90 : 0; run > 0; run--)
            bytes[size < LONG_MAX - 4 ? size++ : size] = 'a';
    }
    return size;
}

START_TEST(utf8_checks_random_long_texts) {
    uint32_t seed = 1;
    uint8_t text[LONG_MAX + 64];
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *start = text + next_random(&seed) % 64;
        size_t size = random_text(&seed, start);
        ck_assert(utf8_valid(start, size));
        for (uint32_t harm = next_random(&seed) % 3; harm > 0 && size > 0; harm--)
            start[next_random(&seed) % size] = (uint8_t)next_random(&seed);
        check_against_bytewise(start, size, size == 0 ? 0 : next_random(&seed) % size);
    }
}
END_TEST

/* All pairs of bytes, where one vector ends and the next begins. */
START_TEST(utf8_checks_every_pair_across_vectors) {
    uint8_t text[192];
    for (uint32_t pair = 0; pair < 0x10000; pair++)
        for (size_t at = 63; at < 128; at += 32) {
            memset(text, 'a', sizeof text);
            text[at] = (uint8_t)(pair >> 8);
            text[at + 1] = (uint8_t)pair;
            if (utf8_valid(text, sizeof text) != (accepted_bytewise(text, sizeof text) == sizeof text))
                ck_abort_msg("%04X at %zu", (unsigned)pair, at);
        }
}
END_TEST

START_TEST(utf8_mend_replaces_invalid_bytes) {
    static const char *const texts[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
        {"caf\xE9!", "caf?!"},
        {"\xF0\x9F\x99", "???"},
        {"\xED\xA0\x80x", "???x"},
        {"\x80\xC3\xA9\xC3", "?\xC3\xA9?"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[16];
        strcpy(text, texts[i][0]);
        utf8_mend(text);
        ck_assert_str_eq(text, texts[i][1]);
    }
}
END_TEST

START_TEST(utf8_recognises_control_characters) {
    static const char *const controls[] = {"\x01", "\t", "\x1F", "\x7F", "\xC2\x80", "\xC2\x9B", "\xC2\x9F"};
    static const char *const others[] = {" ", "~", "\xC2\xA0", "\xC3\x9B", "\xE2\x80\xA8"};
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        ck_assert(utf8_is_control(controls[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert(!utf8_is_control(others[i]));
}
END_TEST

Suite *utf8_suite(void) {
    Suite *suite = suite_create("utf8");
    TCase *tcase = tcase_create("utf8");
    tcase_add_loop_test(tcase, utf8_accepts_valid_texts_at_every_split, 0, sizeof valid / sizeof *valid);
    tcase_add_loop_test(tcase, utf8_tells_unfinished_from_invalid_texts, 0, sizeof unfinished / sizeof *unfinished);
    tcase_add_loop_test(tcase, utf8_refuses_invalid_texts_at_the_first_wrong_byte, 0,
                        sizeof invalid / sizeof *invalid);
    tcase_add_test(tcase, utf8_finds_a_bad_byte_anywhere_in_ascii);
    tcase_add_test(tcase, utf8_accepts_every_character_but_surrogates);
    tcase_add_test(tcase, utf8_agrees_with_the_reference_at_the_bounds);
    tcase_add_test(tcase, utf8_checks_sequences_within_long_texts);
    tcase_add_test(tcase, utf8_checks_random_long_texts);
    tcase_add_test(tcase, utf8_checks_every_pair_across_vectors);
    tcase_add_test(tcase, utf8_mend_replaces_invalid_bytes);
    tcase_add_test(tcase, utf8_recognises_control_characters);
    suite_add_tcase(suite, tcase);
    return suite;
}
