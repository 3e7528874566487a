/* settings_value.c - see settings_value.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/settings_value.h"

#include <arpa/inet.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

static const char too_large[] = "is too large";

const char *settings_value_count(const char *text, unsigned *count) {
    size_t size = strspn(text, DIGITS);
    if (size == 0 || text[size] != '\0')
        return "is not a number; write it in digits, like 8";
    unsigned long long number = strtoull(text, NULL, 10);
    if (number > UINT_MAX)
        return too_large;
    *count = (unsigned)number;
    return NULL;
}

/* Reads digits with an optional point; no sign, no exponent. Returns what follows them, or NULL if there are
 * none. */
static const char *read_decimal(const char *text, double *number) {
    size_t size = strspn(text, DIGITS);
    size_t all = text[size] == '.' ? size + 1 + strspn(text + size + 1, DIGITS) : size;
    if (size == 0)
        return NULL;
    *number = strtod(text, NULL);
    return isfinite(*number) ? text + all : NULL;
}

const char *settings_value_number(const char *text, double *number) {
    const char *rest = read_decimal(text, number);
    return rest != NULL && *rest == '\0' ? NULL : "is not a number; write it like 1000 or 0.5";
}

struct unit {
    const char *name;
    double factor;
};

/* Returns false if the text is not a number with one of these units. */
static bool read_quantity(const char *text, const struct unit *units, size_t count, double *number) {
    const char *unit = read_decimal(text, number);
    for (size_t i = 0; unit != NULL && i < count; i++)
        if (strcmp(unit, units[i].name) == 0) {
            *number *= units[i].factor;
            return true;
        }
    return false;
}

const char *settings_value_duration(const char *text, double *seconds) {
    static const struct unit units[] = {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
    if (!read_quantity(text, units, sizeof units / sizeof *units, seconds))
        return "is not a duration; write it like 500ms, 10s or 1m";
    return *seconds <= 30 * 86400.0 ? NULL : "is more than 30 days";
}

const char *settings_value_size(const char *text, size_t *bytes) {
    static const struct unit units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    double number;
    if (!read_quantity(text, units, sizeof units / sizeof *units, &number) || number != floor(number))
        return "is not a size; write it like 512, 64KiB or 1MiB";
    if (number > (double)(1 << 30))
        return "is more than 1GiB";
    *bytes = (size_t)number;
    return NULL;
}

const char *settings_value_range(const char *text, size_t *least, size_t *most) {
    const char *dash = strchr(text, '-');
    if (dash == NULL) {
        const char *wrong = settings_value_size(text, least);
        *most = *least;
        return wrong;
    }
    char low[32] = "";
    if ((size_t)(dash - text) < sizeof low)
        memcpy(low, text, (size_t)(dash - text));
    if (settings_value_size(low, least) != NULL || settings_value_size(dash + 1, most) != NULL || *least > *most)
        return "is not a range of sizes; write it like 100-2000 or 1KiB-64KiB";
    return NULL;
}

/* --- Addresses --------------------------------------------------------------------------------------------- */

static const char *add(char **list, unsigned *count, const char *address) {
    if (*count == SETTINGS_SOURCES_MAX)
        return "has more than 65536 addresses";
    list[*count] = strdup(address);
    return list[*count] != NULL && ++*count > 0 ? NULL : "does not fit into the memory that is left";
}

static const char *add_range(char **list, unsigned *count, const char *first, const char *last) {
    struct in_addr from, to;
    if (inet_pton(AF_INET, first, &from) != 1 || inet_pton(AF_INET, last, &to) != 1 ||
        ntohl(from.s_addr) > ntohl(to.s_addr))
        return "is not a range of IPv4 addresses; write it like 127.0.0.2-127.0.0.9";
    for (uint64_t address = ntohl(from.s_addr); address <= ntohl(to.s_addr); address++) {
        char text[INET_ADDRSTRLEN];
        const struct in_addr one = {htonl((uint32_t)address)};
        const char *wrong = add(list, count, inet_ntop(AF_INET, &one, text, sizeof text));
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *add_item(char **list, unsigned *count, char *item) {
    unsigned char binary[sizeof(struct in6_addr)];
    char *dash = strchr(item, '-');
    if (dash != NULL) {
        *dash = '\0';
        return add_range(list, count, item, dash + 1);
    }
    if (inet_pton(AF_INET, item, binary) != 1 && inet_pton(AF_INET6, item, binary) != 1)
        return "is not a list of IP addresses; write it like 127.0.0.2 or 127.0.0.2-127.0.0.9";
    return add(list, count, item);
}

const char *settings_value_sources(const char *text, char **list, unsigned *count) {
    char *copy = strdup(text), *rest = copy;
    const char *wrong = copy == NULL ? "does not fit into the memory that is left" : NULL;
    while (wrong == NULL && rest != NULL)
        wrong = add_item(list, count, strsep(&rest, ","));
    free(copy);
    return wrong;
}
