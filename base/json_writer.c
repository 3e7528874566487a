/* json_writer.c - see json_writer.h. Numbers are formatted from integers, so that the locale has no influence.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_token.h"

enum { CAPACITY_FIRST = 256, ESCAPE_SIZE = sizeof "\\u0000", NUMBER_SIZE = 32 };

/* --- Bytes ------------------------------------------------------------------------------------------------- */

/* Makes room for `more` bytes. Once this has failed it always fails, because a text with a gap is useless. */
static bool json_reserve(struct json_writer *writer, size_t more) {
    if (writer->failed)
        return false;
    if (more <= writer->capacity - writer->size)
        return true;
    writer->failed = more > PTRDIFF_MAX / 2 - writer->size;
    if (writer->failed)
        return false;
    size_t capacity = writer->capacity == 0 ? CAPACITY_FIRST : writer->capacity;
    while (capacity - writer->size < more)
        capacity *= 2;
    uint8_t *bytes = realloc(writer->bytes, capacity);
    writer->failed = bytes == NULL;
    if (writer->failed)
        return false;
    writer->bytes = bytes;
    writer->capacity = capacity;
    return true;
}

void json_write(struct json_writer *writer, const void *bytes, size_t size) {
    if (size == 0 || !json_reserve(writer, size))
        return;
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

void json_write_literal(struct json_writer *writer, const char *text) {
    json_write(writer, text, strlen(text));
}

void json_writer_release(struct json_writer *writer) {
    free(writer->bytes);
    *writer = (struct json_writer){0};
}

/* --- Objects and arrays ------------------------------------------------------------------------------------ */

static bool json_needs_comma(const struct json_writer *writer) {
    return writer->size > 0 && memchr("{[:,", writer->bytes[writer->size - 1], 4) == NULL;
}

void json_separate(struct json_writer *writer) {
    if (json_needs_comma(writer))
        json_write(writer, ",", 1);
}

void json_begin_object(struct json_writer *writer) {
    json_separate(writer);
    json_write(writer, "{", 1);
}

void json_end_object(struct json_writer *writer) {
    json_write(writer, "}", 1);
}

void json_begin_array(struct json_writer *writer) {
    json_separate(writer);
    json_write(writer, "[", 1);
}

void json_end_array(struct json_writer *writer) {
    json_write(writer, "]", 1);
}

void json_key(struct json_writer *writer, const char *name) {
    size_t size = strlen(name);
    if (!json_reserve(writer, size + 4)) /* comma, quotes, colon */
        return;
    uint8_t *end = writer->bytes + writer->size;
    if (json_needs_comma(writer))
        *end++ = ',';
    *end++ = '"';
    memcpy(end, name, size);
    end += size;
    *end++ = '"';
    *end++ = ':';
    writer->size = (size_t)(end - writer->bytes);
}

/* --- Strings ----------------------------------------------------------------------------------------------- */

static void json_write_escape(struct json_writer *writer, uint8_t byte) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *known = byte == 0 ? NULL : strchr(escaped, byte);
    char escape[ESCAPE_SIZE];
    if (known == NULL)
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)byte);
    else
        snprintf(escape, sizeof escape, "\\%c", letters[known - escaped]);
    json_write_literal(writer, escape);
}

void json_write_text(struct json_writer *writer, const void *text, size_t size) {
    const uint8_t *bytes = text;
    json_write(writer, "\"", 1);
    for (size_t at = 0, plain; at < size; at = plain) {
        for (plain = at; plain < size && json_is_plain(bytes[plain]);)
            plain++;
        json_write(writer, bytes + at, plain - at);
        if (plain < size)
            json_write_escape(writer, bytes[plain++]);
    }
    json_write(writer, "\"", 1);
}

void json_write_plain(struct json_writer *writer, const char *text) {
    size_t size = strlen(text);
    if (!json_reserve(writer, size + 2))
        return;
    uint8_t *start = writer->bytes + writer->size;
    start[0] = start[size + 1] = '"';
    memcpy(start + 1, text, size);
    writer->size += size + 2;
}

void json_write_string(struct json_writer *writer, const char *text) {
    json_write_text(writer, text, strlen(text));
}

/* --- Base64 ------------------------------------------------------------------------------------------------ */

/* Encodes three bytes as four characters. If there are only `size` bytes, the others count as 0 and become
 * padding. */
static void json_encode_group(const uint8_t *bytes, size_t size, uint8_t group[4]) {
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < size ? bytes[i] : 0);
    for (size_t i = 0; i < 4; i++)
        group[i] = i <= size ? (uint8_t)characters[bits >> (18 - 6 * i) & 0x3F] : '=';
}

void json_write_base64(struct json_writer *writer, const void *bytes, size_t size) {
    if (!json_reserve(writer, size / 3 * 4 + sizeof "\"====\""))
        return;
    json_write(writer, "\"", 1);
    for (size_t at = 0, taken; at < size; at += taken, writer->size += 4) {
        taken = size - at < 3 ? size - at : 3;
        json_encode_group((const uint8_t *)bytes + at, taken, writer->bytes + writer->size);
    }
    json_write(writer, "\"", 1);
}

/* --- Numbers ----------------------------------------------------------------------------------------------- */

void json_write_number(struct json_writer *writer, uint64_t number) {
    char text[NUMBER_SIZE];
    char *first = text + NUMBER_SIZE;
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    json_write(writer, first, (size_t)(text + NUMBER_SIZE - first));
}

void json_write_quoted_number(struct json_writer *writer, uint64_t number) {
    json_write(writer, "\"", 1);
    json_write_number(writer, number);
    json_write(writer, "\"", 1);
}

/* Rounds to thousandths. Writes null for what is not a time: below 0, too large to have thousandths, not a
 * number. */
void json_write_seconds(struct json_writer *writer, double seconds) {
    char text[NUMBER_SIZE] = "null";
    if (seconds >= 0 && seconds <= 0x1p43) {
        uint64_t thousandths = (uint64_t)(seconds * 1000 + 0.5);
        snprintf(text, sizeof text, "%" PRIu64 ".%03" PRIu64, thousandths / 1000, thousandths % 1000);
    }
    json_write_literal(writer, text);
}

void json_write_bool(struct json_writer *writer, bool value) {
    json_write_literal(writer, value ? "true" : "false");
}
