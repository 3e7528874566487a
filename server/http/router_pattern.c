/* router_pattern.c - splits a pattern like "/room/{name}/feed" into segments. Literals may be percent-encoded like
 * the paths that they match: %7B is a { that does not begin a parameter, %2F is a slash within a segment.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/router_pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/http/router.h"

/* --- Decoding -------------------------------------------------------------------------------------------- */

/* Returns the value of a hex digit, or -1. */
static int pattern_hex_digit(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool path_decode(const char *raw, char separator, char *decoded, size_t *size) {
    char *out = decoded;
    while (*raw != '\0') {
        char character = *raw++;
        if (character == '/') {
            character = separator;
        } else if (character == '%') {
            int high = pattern_hex_digit(raw[0]), low = high < 0 ? -1 : pattern_hex_digit(raw[1]);
            if (low < 0 || high + low == 0)
                return false;
            character = (char)(high << 4 | low);
            raw += 2;
        }
        *out++ = character;
    }
    *out = '\0';
    *size = (size_t)(out - decoded);
    return utf8_valid((const uint8_t *)decoded, *size);
}

/* --- Segments -------------------------------------------------------------------------------------------- */

static const char *pattern_parse_parameter(struct segment *segment, char *text, size_t size) {
    static const char name_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (text[size - 1] != '}')
        return "a segment that begins with { ends with }";
    text[size - 1] = '\0';
    segment->kind = SEGMENT_PARAMETER;
    segment->text = text + 1;
    segment->size = size - 2;
    if (segment->size == 0 || strspn(segment->text, name_characters) != segment->size)
        return "a parameter's name is made of letters, digits, _ and -";
    return NULL;
}

/* Decodes in place. */
static const char *pattern_parse_literal(struct segment *segment, char *text) {
    if (strpbrk(text, "{}") != NULL)
        return "a {parameter} is a whole segment; write %7B and %7D for braces";
    if (strchr(text, '*') != NULL)
        return "a * is a whole segment; write %2A for an asterisk";
    if (strpbrk(text, "?#") != NULL)
        return "a pattern has no query; write %3F and %23 for ? and #";
    segment->kind = SEGMENT_LITERAL;
    segment->text = text;
    if (!path_decode(text, '/', text, &segment->size))
        return "a % is followed by two hex digits, not 00, and the text is UTF-8";
    return NULL;
}

/* Returns what is wrong with a segment, or NULL. `text` must be terminated, and is overwritten. */
static const char *pattern_parse_segment(struct segment *segment, char *text, size_t size, bool last) {
    if (size == 0 && !last)
        return "a segment is empty";
    if (strcmp(text, "*") == 0) {
        *segment = (struct segment){.kind = SEGMENT_REST, .text = text, .size = 1};
        return last ? NULL : "a * is the last segment";
    }
    return text[0] == '{' ? pattern_parse_parameter(segment, text, size) : pattern_parse_literal(segment, text);
}

/* --- Patterns -------------------------------------------------------------------------------------------- */

/* Checks what concerns several segments together. */
static const char *pattern_check_parameters(const struct pattern *pattern) {
    size_t count = 0;
    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (segment->kind == SEGMENT_LITERAL)
            continue;
        if (++count > ROUTER_PARAMS_MAX)
            return "more than 16 parameters";
        for (size_t j = 0; j < i; j++)
            if (pattern->segments[j].kind == SEGMENT_PARAMETER &&
                strcmp(pattern->segments[j].text, segment->text) == 0)
                return "a parameter's name comes twice";
    }
    return NULL;
}

/* Splits `text`, which is what follows the first slash. */
static const char *pattern_parse(struct pattern *pattern, char *text) {
    for (size_t i = 0; i < pattern->segment_count; i++) {
        bool last = i + 1 == pattern->segment_count;
        size_t size = strcspn(text, "/");
        text[size] = '\0';
        const char *why = pattern_parse_segment(&pattern->segments[i], text, size, last);
        if (why != NULL)
            return why;
        text += size + 1;
    }
    return pattern_check_parameters(pattern);
}

static size_t pattern_count_slashes(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '/';
    return count;
}

struct pattern *pattern_create(const char *text, size_t route, const char **why) {
    if (text[0] != '/') {
        *why = "a pattern begins with /";
        return NULL;
    }
    size_t segment_count = pattern_count_slashes(text), text_size = strlen(text) + 1;
    size_t head_size = sizeof(struct pattern) + segment_count * sizeof(struct segment);
    struct pattern *pattern = calloc(1, head_size + 2 * text_size);
    if (pattern == NULL) {
        *why = "out of memory";
        return NULL;
    }
    char *written = (char *)pattern + head_size, *parsed = written + text_size;
    memcpy(written, text, text_size);
    memcpy(parsed, text, text_size);
    pattern->route = route;
    pattern->written = written;
    pattern->segment_count = segment_count;
    *why = pattern_parse(pattern, parsed + 1);
    if (*why != NULL) {
        free(pattern);
        return NULL;
    }
    return pattern;
}

int pattern_compare(const struct pattern *a, const struct pattern *b) {
    for (size_t i = 0; i < a->segment_count && i < b->segment_count; i++) {
        const struct segment *left = &a->segments[i], *right = &b->segments[i];
        if (left->kind != right->kind)
            return left->kind < right->kind ? -1 : 1;
        int order = left->kind == SEGMENT_LITERAL ? strcmp(left->text, right->text) : 0;
        if (order != 0)
            return order;
    }
    return a->segment_count < b->segment_count ? -1 : a->segment_count > b->segment_count;
}
