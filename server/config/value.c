/* value.c - parses durations, sizes, numbers, booleans, lists and addresses. Pure functions on text, which know no
 * options and no files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/config/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t";
static const char too_large[] = "is too large";
static const char no_memory[] = "cannot be stored: out of memory";

/* --- Numbers with and without a unit ----------------------------------------------------------------------- */

struct unit {
    const char *name;
    uint64_t factor;
};

/* Units from small to large; a NULL name ends the list. */
static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {NULL, 0}};

/* Reads the digits at the start; a number that is too large becomes UINT64_MAX. Returns the text after them. */
static const char *read_digits(const char *text, uint64_t *number) {
    *number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return text;
}

static const char *read_quantity(const char *text, const struct unit *units, const char *wrong, uint64_t *result) {
    uint64_t number;
    const char *unit = read_digits(text, &number);
    if (unit == text)
        return wrong;
    if (number == 0 && *unit == '\0') {
        *result = 0;
        return NULL;
    }
    while (units->name != NULL && strcmp(unit, units->name) != 0)
        units++;
    if (units->name == NULL)
        return wrong;
    if (number > INT64_MAX / units->factor)
        return too_large;
    *result = number * units->factor;
    return NULL;
}

const char *value_duration(const char *text, uint64_t *milliseconds) {
    return read_quantity(text, durations, "is not a duration; write it like 500ms, 20s or 5m", milliseconds);
}

const char *value_size(const char *text, uint64_t *bytes) {
    return read_quantity(text, sizes, "is not a size; write it like 512, 64KiB or 1MiB", bytes);
}

const char *value_integer(const char *text, uint64_t *number) {
    uint64_t result;
    const char *end = read_digits(text, &result);
    if (end == text || *end != '\0')
        return "is not a number; write it in digits, like 8";
    if (result > INT64_MAX)
        return too_large;
    *number = result;
    return NULL;
}

/* Writes the number in the largest unit that divides it. */
static void print_quantity(uint64_t number, const struct unit *units, char text[32]) {
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name != NULL; unit++)
        if (number % unit->factor == 0)
            best = unit;
    snprintf(text, 32, "%" PRIu64 "%s", number / best->factor, number == 0 ? "" : best->name);
}

void value_print_duration(uint64_t milliseconds, char text[32]) {
    print_quantity(milliseconds, durations, text);
}

void value_print_size(uint64_t bytes, char text[32]) {
    print_quantity(bytes, sizes, text);
}

const char *value_boolean(const char *text, bool *truth) {
    static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int which = 0; which < 2; which++)
            if (strcmp(text, words[i][which]) == 0) {
                *truth = which == 1;
                return NULL;
            }
    return "is neither yes nor no";
}

/* --- Addresses --------------------------------------------------------------------------------------------- */

/* Writes a host in canonical form, with brackets around an IPv6 address. */
static bool read_host(const char *host, size_t size, char *canonical, size_t canonical_size) {
    unsigned char binary[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    bool ipv6 = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    if (ipv6) {
        host++;
        size -= 2;
    }
    if (size >= sizeof text)
        return false;
    memcpy(text, host, size);
    text[size] = '\0';
    int family = ipv6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, binary) != 1 || inet_ntop(family, binary, text, sizeof text) == NULL)
        return false;
    snprintf(canonical, canonical_size, ipv6 ? "[%s]" : "%s", text);
    return true;
}

const char *value_address(const char *text, char address[VALUE_ADDRESS_SIZE]) {
    char host[INET6_ADDRSTRLEN + 2] = "0.0.0.0";
    const char *colon = strrchr(text, ':');
    const char *port_text = colon != NULL ? colon + 1 : text;
    uint64_t port;
    const char *end = read_digits(port_text, &port);
    if (end == port_text || *end != '\0' ||
        (colon != NULL && !read_host(text, (size_t)(colon - text), host, sizeof host)))
        return "is not an address to listen on; write it like 127.0.0.1:9000, [::1]:9000 or 9000";
    if (port > UINT16_MAX)
        return "has a port above 65535";
    snprintf(address, VALUE_ADDRESS_SIZE, "%s:%u", host, (unsigned)port);
    return NULL;
}

/* --- Lists ------------------------------------------------------------------------------------------------- */

const char *value_subprotocol(const char *text) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t size = strlen(text);
    if (size == 0 || size > 64 || strspn(text, token) != size)
        return "is not a subprotocol; write a name like chat.v2";
    return NULL;
}

/* Returns true for a quoted value, which a client must send exactly. The quotes are required so that an origin
 * whose scheme was forgotten is not taken for one. */
static bool is_exact_origin(const char *text) {
    size_t size = strlen(text);
    if (size < 3 || text[0] != '"' || strchr(text + 1, '"') != text + size - 1)
        return false;
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* Returns true for a pattern. The host may be missing, except with http and https, as in the origins of files and
 * of programs. */
static bool is_origin_pattern(const char *text) {
    static const char host[] = "*-.:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *rest = strstr(text, "://");
    if (rest == NULL || rest == text || strspn(rest + 3, host) != strlen(rest + 3))
        return false;
    return rest[3] != '\0' || (strcmp(text, "http://") != 0 && strcmp(text, "https://") != 0);
}

const char *value_origin(const char *text) {
    if (strcmp(text, "same-host") == 0 || strcmp(text, "*") == 0 || strcmp(text, "null") == 0 ||
        is_exact_origin(text) || is_origin_pattern(text))
        return NULL;
    return "is not an origin; write it like https://example.com, https://*.example.com:8443, same-host or *; any "
           "other value goes in quotes, like \"my-device\"";
}

char *value_trim(char *text) {
    text += strspn(text, blanks);
    size_t size = strlen(text);
    while (size > 0 && strchr(blanks, text[size - 1]) != NULL)
        text[--size] = '\0';
    return text;
}

const char *value_secret(const char *text) {
    enum { SHORTEST = 16, LONGEST = 256 };
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return "contains a blank or a character that is not printable ASCII";
    if (size < SHORTEST)
        return "is too short; it must have 16 to 256 characters";
    return size > LONGEST ? "is too long; it must have 16 to 256 characters" : NULL;
}

/* Finds the item at the start, without the blanks around it. Returns the comma or the end after it. */
static const char *next_item(const char *text, const char **item, size_t *size) {
    text += strspn(text, blanks);
    const char *end = text + strcspn(text, ",");
    *item = text;
    *size = (size_t)(end - text);
    while (*size > 0 && strchr(blanks, text[*size - 1]) != NULL)
        --*size;
    return end;
}

const char *value_list(const char *text, char ***list) {
    size_t most = 2; /* one item and the NULL, and one more for each comma */
    for (const char *at = text; (at = strchr(at, ',')) != NULL; at++)
        most++;
    char **items = calloc(most, sizeof *items);
    if (items == NULL)
        return no_memory;
    for (size_t i = 0;; i++) {
        const char *item;
        size_t size;
        text = next_item(text, &item, &size);
        items[i] = size == 0 ? NULL : strndup(item, size);
        if (items[i] == NULL) {
            value_list_free(items);
            return size == 0 ? "has an empty item; write it like a, b, c" : no_memory;
        }
        if (*text == '\0')
            break;
        text++;
    }
    *list = items;
    return NULL;
}

void value_list_free(char **list) {
    if (list == NULL)
        return;
    for (char **item = list; *item != NULL; item++)
        free(*item);
    free(list);
}
