/* channel_name.c - see channel_name.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/channel_name.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:@/+~";

/* A faster test for the same characters, because it runs for every message. */
static bool is_of_alphabet(char byte) {
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= ':') || (byte >= '@' && byte <= 'Z'))
        return true;
    return byte == '_' || byte == '-' || byte == '.' || byte == '/' || byte == '+' || byte == '~';
}

bool channel_name_valid(const char *name, size_t size) {
    if (size == 0 || size > CHANNEL_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!is_of_alphabet(name[i]))
            return false;
    return true;
}

/* --- Patterns ---------------------------------------------------------------------------------------------- */

const char *channel_pattern_error(const char *pattern) {
    size_t size = strlen(pattern), valid = strspn(pattern, alphabet);
    if (size == 0)
        return "is not a channel pattern; write a name like news, or the beginning of names like news:*";
    if (size > CHANNEL_NAME_MAX)
        return "is longer than the 255 bytes that a channel's name may have";
    if (pattern[valid] == '*' && pattern[valid + 1] != '\0')
        return "has a * that is not at its end; write it like news:*";
    if (pattern[valid] != '\0' && pattern[valid] != '*')
        return "is not a channel pattern; write letters, digits and _-.:@/+~ alone, and a * at the end";
    return NULL;
}

/* The number of bytes before the star, or of all bytes. */
static size_t literal_size(const char *pattern) {
    return strcspn(pattern, "*");
}

bool channel_pattern_matches(const char *pattern, const char *name) {
    size_t size = literal_size(pattern);
    return pattern[size] == '*' ? strncmp(pattern, name, size) == 0 : strcmp(pattern, name) == 0;
}

bool channel_pattern_precedes(const char *a, const char *b) {
    size_t a_size = literal_size(a), b_size = literal_size(b);
    bool a_is_name = a[a_size] == '\0', b_is_name = b[b_size] == '\0';
    return a_is_name != b_is_name ? a_is_name : a_size > b_size;
}

/* --- Templates --------------------------------------------------------------------------------------------- */

/* Returns where the parameter that begins here ends, after its }. Returns NULL if there is no }, or the name
 * before it is not valid in a route's pattern. */
static const char *end_of_parameter(const char *text) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t size = text[1] == '*' ? 1 : strspn(text + 1, letters);
    return size > 0 && text[1 + size] == '}' ? text + size + 2 : NULL;
}

const char *channel_template_error(const char *template) {
    size_t literal = 0;
    if (*template == '\0')
        return "is not a channel; write it like room:{name}";
    while (*template != '\0') {
        size_t size = strspn(template, alphabet);
        literal += size;
        template += size;
        if (*template == '{') {
            template = end_of_parameter(template);
            if (template == NULL)
                return "has a { without a parameter's name and a } after it; write it like room:{name}";
        } else if (*template != '\0') {
            return "is not a channel; write letters, digits, _-.:@/+~ and {parameters} alone, like room:{name}";
        }
    }
    return literal > CHANNEL_NAME_MAX ? "is longer than the 255 bytes that a channel's name may have" : NULL;
}

bool channel_template_next(const char **template, struct channel_template_part *part) {
    const char *text = *template;
    if (*text == '\0')
        return false;
    part->parameter = *text == '{';
    part->text = part->parameter ? text + 1 : text;
    part->size = strcspn(part->text, "{}");
    *template = part->text + part->size + (part->parameter ? 1 : 0);
    return true;
}
