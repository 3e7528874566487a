/* fuzz_log.c - texts that clients supply in lines of the log: one line, printable, well formed, within its bounds,
 * in both formats; and nothing is lost.
 *
 * The input: a byte for the room that there is, then the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>

#include "base/utf8.h"
#include "server/log/log_escape.h"
#include "server/log/log_line.h"
#include "tests/fuzz/fuzz.h"

/* What a terminal or a reader of lines could take for more than text. */
static void check_printable(const char *text, size_t size) {
    FUZZ_REQUIRE(utf8_valid((const uint8_t *)text, size));
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)text[i];
        FUZZ_REQUIRE(byte >= ' ' && byte != 0x7F);
        FUZZ_REQUIRE(byte != 0xC2 || (uint8_t)text[i + 1] >= 0xA0); /* C1 */
    }
}

/* The size of the character or of the byte that is none at `text`. */
static size_t unit_size(const char *text) {
    for (size_t size = 4; size > 1; size--)
        if (strnlen(text, size) == size && utf8_valid((const uint8_t *)text, size) &&
            !utf8_valid((const uint8_t *)text, size - 1) && ((uint8_t)text[0] & 0xC0) == 0xC0)
            return size;
    return 1;
}

/* The character that an escape at *at stands for, as UTF-8 in `meant`; *at then is behind it. Returns its size. */
static size_t take_escape(enum log_format format, const char **at, const char *end, char meant[4]) {
    static const char letters[] = "nrt\"\\", known_as[] = "\n\r\t\"\\";
    FUZZ_REQUIRE(end - *at >= 2 && **at == '\\');
    char letter = (*at)[1];
    const char *known = letter == '\0' ? NULL : strchr(letters, letter);
    if (known != NULL) {
        *at += 2;
        meant[0] = known_as[known - letters];
        return 1;
    }
    int digits = format == LOG_JSON ? 4 : 2, used = 0;
    unsigned code;
    char hexadecimal[5] = "";
    FUZZ_REQUIRE(letter == (format == LOG_JSON ? 'u' : 'x') && end - *at >= 2 + digits);
    memcpy(hexadecimal, *at + 2, (size_t)digits);
    FUZZ_REQUIRE(sscanf(hexadecimal, "%4x%n", &code, &used) == 1 && used == digits);
    *at += 2 + digits;
    if (code == 0xFFFD) {
        memcpy(meant, "\xef\xbf\xbd", 3);
        return 3;
    }
    FUZZ_REQUIRE(code <= 0xFF);
    if (format == LOG_LOGFMT || code < 0x80) {
        meant[0] = (char)code;
        return 1;
    }
    meant[0] = (char)(0xC0 | code >> 6);
    meant[1] = (char)(0x80 | (code & 0x3F));
    return 2;
}

/* Holds what was escaped against the text, as far as it goes: where JSON has U+FFFD, a byte that is no character
 * may stand. Returns how much of the text it is. */
static size_t compare(enum log_format format, const char *escaped, size_t size, const char *text) {
    const char *at = escaped, *end = escaped + size, *from = text;
    while (at < end) {
        char meant[4] = {*at};
        size_t meant_size = *at == '\\' ? take_escape(format, &at, end, meant) : (at++, 1);
        if (meant_size == 3 && unit_size(from) == 1) {
            FUZZ_REQUIRE((uint8_t)*from >= 0x80);
            from++;
            continue;
        }
        FUZZ_REQUIRE(strnlen(from, meant_size) == meant_size && memcmp(from, meant, meant_size) == 0);
        from += meant_size;
    }
    return (size_t)(from - text);
}

static void check_text(enum log_format format, const char *text, size_t room) {
    char *escaped = fuzz_allocate(room);
    bool cut = false;
    size_t size = log_escape(format, text, escaped, room, &cut);
    FUZZ_REQUIRE(size <= room);
    check_printable(escaped, size);
    size_t told = compare(format, escaped, size, text);
    FUZZ_REQUIRE(cut ? told < strlen(text) : told == strlen(text));
    if (format == LOG_LOGFMT && log_is_bare(text))
        FUZZ_REQUIRE(memchr(escaped, ' ', size) == NULL && memchr(escaped, '=', size) == NULL &&
                     memchr(escaped, '\\', size) == NULL && memchr(escaped, '"', size) == NULL);
    free(escaped);
}

/* Behind so many other fields that the line is nearly full, or over it. */
static void check_line(enum log_format format, const char *text, unsigned others) {
    static const struct timespec moment = {.tv_sec = 1772366400};
    const struct log_field other = LOG_NUMBER("other", UINT64_MAX), field = LOG_TEXT("text", text);
    struct log_line line;
    log_line_begin(&line, format, &moment, LOG_INFO, "fuzz");
    for (unsigned i = 0; i < others; i++)
        log_line_add(&line, &other);
    log_line_add(&line, &field);
    log_line_end(&line);
    FUZZ_REQUIRE(line.size <= LOG_LINE_MAX && line.bytes[line.size - 1] == '\n');
    check_printable(line.bytes, line.size - 1);
    FUZZ_REQUIRE(format == LOG_LOGFMT || (line.bytes[0] == '{' && line.bytes[line.size - 2] == '}'));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0)
        return 0;
    char *text = fuzz_text(input + 1, size - 1);
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        check_text((enum log_format)format, text, 6 * strlen(text));
        check_text((enum log_format)format, text, input[0]);
        check_line((enum log_format)format, text, input[0]);
    }
    free(text);
    return 0;
}
