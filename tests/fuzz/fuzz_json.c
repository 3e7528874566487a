/* fuzz_json.c - JSON texts: what is taken lies within the text, and so do its members, each of which is taken again
 * alone; what a string says is UTF-8, and is the same when it has been written and read again.
 *
 * The input: the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/json.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* A copy of exactly these bytes is taken, all of them, as what it was. */
static void check_again(const struct json_value *value) {
    uint8_t *copy = fuzz_allocate(value->size);
    struct json_value again;
    struct json_error error;
    memcpy(copy, value->bytes, value->size);
    FUZZ_REQUIRE(json_check(copy, value->size, &again, &error) == 0);
    FUZZ_REQUIRE(again.type == value->type && again.bytes == copy && again.size == value->size);
    free(copy);
}

static void check_written_again(const char *text, size_t size) {
    struct json_writer writer = {0};
    struct json_value again;
    struct json_error error;
    char *read = fuzz_allocate(size + 1);
    json_write_text(&writer, text, size);
    FUZZ_REQUIRE(!writer.failed && json_check(writer.bytes, writer.size, &again, &error) == 0);
    FUZZ_REQUIRE(json_text(&again, read, size + 1) == (long)size && memcmp(read, text, size + 1) == 0);
    FUZZ_REQUIRE(json_text_is(&again, text));
    free(read);
    json_writer_release(&writer);
}

/* No escape is shorter than what it stands for, so the size of the string is room enough. */
static void check_string(const struct json_value *string) {
    char *text = fuzz_allocate(string->size);
    long length = json_text(string, text, string->size);
    if (length >= 0) {
        size_t size = (size_t)length;
        FUZZ_REQUIRE(size < string->size && strlen(text) == size && utf8_valid((const uint8_t *)text, size));
        FUZZ_REQUIRE(json_text_is(string, text));
        text[size] = 'x'; /* the terminator is not needed to find out that there is more */
        char *longer = fuzz_text(text, size + 1), *exact = fuzz_allocate(size + 1);
        FUZZ_REQUIRE(!json_text_is(string, longer));
        FUZZ_REQUIRE(json_text(string, exact, size) == -1);
        FUZZ_REQUIRE(json_text(string, exact, size + 1) == length);
        check_written_again(exact, size);
        free(longer);
        free(exact);
    } else {
        FUZZ_REQUIRE(memchr(string->bytes, '\\', string->size) != NULL);
    }
    free(text);
}

static void check_number(const struct json_value *number) {
    int64_t whole = json_whole(number);
    FUZZ_REQUIRE(whole >= -1 && whole <= INT64_C(1) << 53);
    if (whole < 0)
        return;
    struct json_writer writer = {0};
    json_write_number(&writer, (uint64_t)whole);
    FUZZ_REQUIRE(writer.size == number->size && memcmp(writer.bytes, number->bytes, number->size) == 0);
    json_writer_release(&writer);
}

static void check_value(const struct json_value *value);

static void check_members(const struct json_value *object) {
    struct json_value name, value;
    const uint8_t *behind = object->bytes + 1, *end = object->bytes + object->size;
    for (size_t position = 0; json_member(object, &position, &name, &value);) {
        FUZZ_REQUIRE(name.type == JSON_STRING && name.bytes >= behind);
        FUZZ_REQUIRE(value.bytes > name.bytes + name.size);
        behind = value.bytes + value.size;
        FUZZ_REQUIRE(behind < end && object->bytes + position == behind);
        check_value(&name);
        check_value(&value);
    }
    for (; behind < end - 1; behind++) /* nothing was left out: up to the brace are blanks */
        FUZZ_REQUIRE(memchr(" \t\r\n", *behind, 4) != NULL);
}

static void check_value(const struct json_value *value) {
    check_again(value);
    if (value->type == JSON_OBJECT)
        check_members(value);
    if (value->type == JSON_STRING)
        check_string(value);
    if (value->type == JSON_NUMBER)
        check_number(value);
}

/* Whatever a value says that was never checked, nothing else is read. */
static void check_unchecked(const uint8_t *bytes, size_t size) {
    struct json_value object = {JSON_OBJECT, bytes, size}, string = {JSON_STRING, bytes, size}, name, value;
    struct json_value number = {JSON_NUMBER, bytes, size};
    char text[64];
    for (size_t position = 0, before = 0; json_member(&object, &position, &name, &value); before = position) {
        FUZZ_REQUIRE(position > before && position <= size);
        FUZZ_REQUIRE(name.bytes > bytes && value.bytes + value.size == bytes + position);
    }
    FUZZ_REQUIRE(json_text(&string, text, sizeof text) < (long)sizeof text);
    json_text_is(&string, "subscribe");
    json_whole(&number);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    struct json_value value;
    struct json_error error;
    if (json_check(input, size, &value, &error) == 0) {
        FUZZ_REQUIRE(value.bytes >= input && value.bytes + value.size <= input + size);
        FUZZ_REQUIRE(utf8_valid(input, size));
        check_value(&value);
    } else {
        FUZZ_REQUIRE(error.offset <= size && strncmp(error.what, "expected ", strlen("expected ")) == 0);
    }
    if (size > 0)
        check_unchecked(input, size);
    return 0;
}
