/* statistics.c - writes durations, numbers and bytes as people do (report.h), and makes untrusted text harmless.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "commands/bench/report/report.h"
#include "commands/bench/summary.h"

/* Writes three significant digits, without trailing zeros after the point: "3.12", "3.1", "41.2", "412". */
static void print_digits(double value, char *text, size_t size) {
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, size, "%.*f", decimals, value);
    if (decimals == 0)
        return;
    for (char *end = text + strlen(text) - 1; *end == '0' || *end == '.'; end--) {
        bool point = *end == '.';
        *end = '\0';
        if (point)
            break;
    }
}

/* Writes the value in one of `count` units, each 1000 times the one before, in the largest that leaves at least 1
 * before the point. */
static char *print_scaled(double value, const char *const *units, size_t count, char text[REPORT_FIGURE_SIZE]) {
    size_t unit = 0;
    for (; unit + 1 < count && value >= 999.5; unit++)
        value /= 1000;
    char digits[REPORT_FIGURE_SIZE];
    if (value >= 999.5)
        report_number(value, digits);
    else
        print_digits(value, digits, sizeof digits);
    snprintf(text, REPORT_FIGURE_SIZE, "%.24s %s", digits, units[unit]);
    return text;
}

static char *print_words(const char *words, char text[REPORT_FIGURE_SIZE]) {
    snprintf(text, REPORT_FIGURE_SIZE, "%s", words);
    return text;
}

char *report_duration(double nanoseconds, char text[REPORT_FIGURE_SIZE]) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    if (!(nanoseconds > 0) || !isfinite(nanoseconds))
        return print_words("0 s", text);
    return print_scaled(nanoseconds, units, sizeof units / sizeof *units, text);
}

char *report_bytes(double bytes, char text[REPORT_FIGURE_SIZE]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    if (!(bytes > 0) || !isfinite(bytes))
        return print_words("0 B", text);
    return print_scaled(bytes, units, sizeof units / sizeof *units, text);
}

char *report_number(double number, char text[REPORT_FIGURE_SIZE]) {
    if (!(number > 0) || number > 1e18)
        return print_words(number > 0 ? "very many" : "0", text);
    if (number < 99.95) {
        print_digits(number, text, REPORT_FIGURE_SIZE);
        return text;
    }
    char digits[REPORT_FIGURE_SIZE];
    int count = snprintf(digits, sizeof digits, "%.0f", number);
    char *to = text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

uint32_t summary_character(const char **text) {
    const uint8_t *bytes = (const uint8_t *)*text;
    struct utf8 utf8 = {0};
    size_t size = 0;
    do {
        if (bytes[size] == '\0' || !utf8_feed(&utf8, bytes + size, 1)) {
            *text += size > 0 ? size : 1;
            return 0xfffd;
        }
        size++;
    } while (!utf8_complete(&utf8));
    *text += size;
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t character = bytes[0] & first_bits[size];
    for (size_t i = 1; i < size; i++)
        character = character << 6 | (bytes[i] & 0x3f);
    bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool turns_direction =
        (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
    return control || turns_direction ? 0xfffd : character;
}
