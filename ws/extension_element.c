/* extension_element.c - reads one extension and its parameters (RFC 6455, 9.1; RFC 7692, 7.1). Pure functions, any
 * thread. One pass over the text, no allocation.
 *
 * Names are compared exactly. Neither RFC calls them case-insensitive, which RFC 6455 does where it means that
 * (4.2.1). node's ws and Python's websockets also compare them exactly.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/extension_element.h"

#include <string.h>

#include "ws/extension.h"

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define TOKEN        ALPHANUMERIC "!#$%&'*+-.^_`|~" /* RFC 7230, 3.2.6 */

enum { VALUE_SIZE = 4 }; /* the longest valid value has two digits; a third character shows an invalid one */

struct parameter {
    const char *name;
    size_t name_size;
    bool has_value;
    char value[VALUE_SIZE]; /* terminated, without quotes; a longer value is cut */
};

/* --- Parameters ------------------------------------------------------------------------------------------- */

static bool equals(const char *text, size_t size, const char *expected) {
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

/* Returns "8" to "15" as a number, without a leading zero (RFC 7692, 7.1.2); 0 for anything else. */
static uint8_t window_bits(const char *value) {
    if ((value[0] == '8' || value[0] == '9') && value[1] == '\0')
        return (uint8_t)(value[0] - '0');
    if (value[0] == '1' && value[1] >= '0' && value[1] <= '5' && value[2] == '\0')
        return (uint8_t)(10 + value[1] - '0');
    return 0;
}

/* The next functions return false if the parameter is repeated or its value is wrong. */

static bool set_flag(bool *flag, const struct parameter *parameter) {
    if (*flag || parameter->has_value)
        return false;
    *flag = true;
    return true;
}

static bool set_bits(uint8_t *bits, const struct parameter *parameter, uint8_t without_value) {
    uint8_t asked = parameter->has_value ? window_bits(parameter->value) : without_value;
    if (*bits != 0 || asked == 0)
        return false;
    *bits = asked;
    return true;
}

/* Without a value, the parameter only tells a server that it may set a limit (7.1.2.2): that counts as 15. */
static bool set_client_bits(struct extension_element *element, const struct parameter *parameter) {
    element->client_bits_named = parameter->has_value;
    return set_bits(&element->client_bits, parameter, WINDOW_BITS_MAX);
}

static bool set_parameter(struct extension_element *element, const struct parameter *parameter) {
    const char *name = parameter->name;
    size_t size = parameter->name_size;
    if (equals(name, size, "server_no_context_takeover"))
        return set_flag(&element->server_no_takeover, parameter);
    if (equals(name, size, "client_no_context_takeover"))
        return set_flag(&element->client_no_takeover, parameter);
    if (equals(name, size, "server_max_window_bits"))
        return set_bits(&element->server_bits, parameter, 0);
    if (equals(name, size, "client_max_window_bits"))
        return set_client_bits(element, parameter);
    return false;
}

/* --- Grammar: these move *at past what they have taken, and return false on a grammar error -------------- */

static void skip_blanks(const char **at) {
    *at += strspn(*at, EXTENSION_BLANKS);
}

static bool take_token(const char **at, size_t *size) {
    *size = strspn(*at, TOKEN);
    *at += *size;
    return *size > 0;
}

static bool take_mark(const char **at, char mark) {
    skip_blanks(at);
    if (**at != mark)
        return false;
    (*at)++;
    skip_blanks(at);
    return true;
}

/* Takes a quoted value: characters of a token, each of which may follow a backslash. A quoted value may contain
 * nothing else (RFC 6455, 9.1). */
static bool take_quoted(const char **at, char value[VALUE_SIZE]) {
    size_t size = 0;
    for ((*at)++; **at != '"'; (*at)++) {
        if (**at == '\\')
            (*at)++;
        if (**at == '\0' || strchr(TOKEN, **at) == NULL)
            return false;
        if (size < VALUE_SIZE - 1)
            value[size++] = **at;
    }
    value[size] = '\0';
    (*at)++;
    return size > 0;
}

static bool take_value(const char **at, char value[VALUE_SIZE]) {
    if (**at == '"')
        return take_quoted(at, value);
    const char *token = *at;
    size_t size;
    if (!take_token(at, &size))
        return false;
    if (size > VALUE_SIZE - 1)
        size = VALUE_SIZE - 1;
    memcpy(value, token, size);
    value[size] = '\0';
    return true;
}

static bool take_parameter(const char **at, struct parameter *parameter) {
    parameter->name = *at;
    if (!take_token(at, &parameter->name_size))
        return false;
    parameter->has_value = take_mark(at, '=');
    return !parameter->has_value || take_value(at, parameter->value);
}

bool extension_take(const char **at, struct extension_element *element) {
    const char *name = *at;
    size_t size;
    if (!take_token(at, &size))
        return false;
    *element = (struct extension_element){.is_deflate = equals(name, size, "permessage-deflate")};
    while (take_mark(at, ';')) {
        struct parameter parameter;
        if (!take_parameter(at, &parameter))
            return false;
        if (element->is_deflate)
            element->is_deflate = set_parameter(element, &parameter);
    }
    return **at == ',' || **at == '\0';
}
