/* fuzz_log.c - quoting of what clients supply: printable, well formed, within its buffer, and nothing is lost.
 *
 * The input: a byte for the size of the buffer, then the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>

#include "server/log/log.h"
#include "server/proto/utf8.h"
#include "tests/fuzz/fuzz.h"

/* What a terminal or a reader of lines could take for more than text. */
static void check_printable(const char *quoted) {
    size_t size = strlen(quoted);
    FUZZ_REQUIRE(utf8_valid((const uint8_t *)quoted, size));
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)quoted[i];
        FUZZ_REQUIRE(byte >= ' ' && byte != 0x7F);
        FUZZ_REQUIRE(byte != 0xC2 || (uint8_t)quoted[i + 1] >= 0xA0); /* C1 */
    }
}

/* The byte that an escape at `at` stands for; *at then is behind it. */
static char take_escape(const char **at) {
    static const char letters[] = "nrt\"\\", meant[] = "\n\r\t\"\\";
    unsigned byte;
    int used = 0;
    char letter = (*at)[1];
    const char *known = letter == '\0' ? NULL : strchr(letters, letter);
    if (known != NULL) {
        *at += 2;
        return meant[known - letters];
    }
    FUZZ_REQUIRE(letter == 'x' && sscanf(*at + 2, "%2x%n", &byte, &used) == 1 && used == 2);
    *at += 4;
    return (char)byte;
}

/* What a reader of logfmt makes of it; new. */
static char *unquote(const char *quoted) {
    char *text = fuzz_text(quoted, strlen(quoted)), *out = text;
    if (quoted[0] != '"') {
        FUZZ_REQUIRE(strpbrk(quoted, " =\"\\") == NULL);
        return text;
    }
    const char *at = quoted + 1;
    while (*at != '"') {
        FUZZ_REQUIRE(*at != '\0');
        *out = *at == '\\' ? take_escape(&at) : *at++;
        out++;
    }
    FUZZ_REQUIRE(at[1] == '\0');
    *out = '\0';
    return text;
}

static char *quote(const char *text, size_t size) {
    char *quoted = fuzz_allocate(size);
    FUZZ_REQUIRE(log_quote(text, quoted, size) == quoted);
    if (size > 0) {
        FUZZ_REQUIRE(strnlen(quoted, size) < size);
        check_printable(quoted);
    }
    return quoted;
}

/* With room for everything escaped and in quotes, it says what it was given. */
static void check_whole(const char *text) {
    char *quoted = quote(text, 4 * strlen(text) + 3), *unquoted = unquote(quoted);
    FUZZ_REQUIRE(strcmp(unquoted, text) == 0);
    free(unquoted);
    free(quoted);
}

/* Cut, it says the beginning. */
static void check_cut(const char *text, size_t size) {
    char *quoted = quote(text, size);
    if (size > 0 && quoted[0] != '\0') {
        char *unquoted = unquote(quoted);
        FUZZ_REQUIRE(strncmp(unquoted, text, strlen(unquoted)) == 0);
        free(unquoted);
    }
    free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0)
        return 0;
    char *text = fuzz_text(input + 1, size - 1);
    check_whole(text);
    check_cut(text, input[0]);
    free(text);
    return 0;
}
