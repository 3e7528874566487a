/* option_value.c - a value's way from text into the field that its option names, and back. It goes by the type
 * alone and knows no option by name.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/config/options.h"
#include "server/config/value.h"
#include "server/proto/address.h"

/* A choice is stored as the unsigned that stands for its enum. */
enum sample { SAMPLE };
_Static_assert(sizeof(enum sample) == sizeof(unsigned), "enums are as large as unsigned");

enum { ITEMS_MAX = 64 };

static const char no_memory[] = "does not fit into the memory that is left";

static void *field_of(const struct option *option, void *base) {
    return (char *)base + option->offset;
}

static const void *value_of(const struct option *option, const void *base) {
    return (const char *)base + option->offset;
}

/* --- From text --------------------------------------------------------------------------------------------- */

static int fail(const struct option *option, const char *value, const char *what, char *error, size_t error_size) {
    /* Whoever writes `workers = 8 # cores` sees a value that looks right. */
    bool comment = strstr(value, " #") != NULL || strstr(value, " ;") != NULL;
    char quoted[VALUE_QUOTED_SIZE];
    snprintf(error, error_size, "%s: %s %s%s", option->name, value_quote(value, quoted), what,
             comment ? " (a comment needs a line of its own)" : "");
    return -1;
}

static void print_number(const struct option *option, uint64_t number, char text[32]) {
    if (option->type == OPTION_DURATION)
        value_print_duration(number, text);
    else if (option->type == OPTION_SIZE)
        value_print_size(number, text);
    else
        snprintf(text, 32, "%" PRIu64, number);
}

static int set_number(const struct option *option, void *field, const char *value, char *error, size_t error_size) {
    uint64_t number = 0;
    const char *wrong = option->type == OPTION_DURATION ? value_duration(value, &number)
                        : option->type == OPTION_SIZE   ? value_size(value, &number)
                                                        : value_integer(value, &number);
    if (wrong != NULL)
        return fail(option, value, wrong, error, error_size);
    if (number < option->min || number > option->max) {
        char min[32], max[32], bounds[128];
        print_number(option, option->min, min);
        print_number(option, option->max, max);
        snprintf(bounds, sizeof bounds, "is out of bounds; it must be from %s to %s", min, max);
        return fail(option, value, bounds, error, error_size);
    }
    if (option->type == OPTION_DURATION)
        *(uint64_t *)field = number;
    else if (option->type == OPTION_SIZE)
        *(size_t *)field = (size_t)number;
    else
        *(unsigned *)field = (unsigned)number;
    return 0;
}

static int set_choice(const struct option *option, void *field, const char *value, char *error, size_t error_size) {
    char what[128] = "is none of ";
    for (unsigned i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(value, option->choices[i]) == 0) {
            memcpy(field, &i, sizeof i);
            return 0;
        }
        size_t used = strlen(what);
        snprintf(what + used, sizeof what - used, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    }
    return fail(option, value, what, error, error_size);
}

/* Replaces an address by its canonical form, which none of the `count` before it may have. */
static const char *normalise_address(const struct option *option, char **list, size_t count) {
    (void)option;
    char address[VALUE_ADDRESS_SIZE];
    const char *wrong = value_address(list[count], address);
    if (wrong != NULL)
        return wrong;
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], address) == 0)
            return "is in the list twice";
    char *copy = strdup(address);
    if (copy == NULL)
        return no_memory;
    free(list[count]);
    list[count] = copy;
    return NULL;
}

static const char *find_twice(char **list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], list[count]) == 0)
            return "is in the list twice";
    return NULL;
}

/* The word that is the default of such a list is no item like others: it stands alone. */
static const char *check_item(const struct option *option, char **list, size_t count,
                              const char *(*check)(const char *item)) {
    if (strcmp(list[count], option->default_value) == 0 && value_origin(option->default_value) != NULL)
        return list[1] == NULL ? NULL : "stands alone";
    const char *wrong = check(list[count]);
    return wrong != NULL ? wrong : find_twice(list, count);
}

static const char *check_subprotocol(const struct option *option, char **list, size_t count) {
    return check_item(option, list, count, value_subprotocol);
}

static const char *check_origin(const struct option *option, char **list, size_t count) {
    return check_item(option, list, count, value_origin);
}

static const char *check_network(const struct option *option, char **list, size_t count) {
    struct network network;
    if (strcmp(list[count], option->default_value) == 0)
        return list[1] == NULL ? NULL : "stands alone";
    if (!network_parse(list[count], &network))
        return "is not a network; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32";
    return find_twice(list, count);
}

/* `check` looks at item `count`, which those before it have passed, and may replace it. */
static int set_list(const struct option *option, char ***field, const char *value,
                    const char *(*check)(const struct option *option, char **list, size_t count), char *error,
                    size_t error_size) {
    char **list;
    const char *wrong = value_list(value, &list);
    if (wrong != NULL)
        return fail(option, value, wrong, error, error_size);
    for (size_t i = 0; list[i] != NULL; i++)
        if ((wrong = i < ITEMS_MAX ? check(option, list, i) : "is one item too many") != NULL) {
            fail(option, list[i], wrong, error, error_size);
            value_list_free(list);
            return -1;
        }
    value_list_free(*field);
    *field = list;
    return 0;
}

static int set_handler(const struct option *option, char **field, const char *value, char *error,
                       size_t error_size) {
    bool plugin = strncmp(value, "plugin:", 7) == 0 && value[7] != '\0';
    if (!plugin && strcmp(value, "echo") != 0 && strcmp(value, "broadcast") != 0)
        return fail(option, value, "is not a handler; write echo, broadcast or plugin:PATH", error, error_size);
    char *copy = strdup(value);
    if (copy == NULL)
        return fail(option, value, no_memory, error, error_size);
    free(*field);
    *field = copy;
    return 0;
}

static int set_boolean(const struct option *option, bool *field, const char *value, char *error,
                       size_t error_size) {
    const char *wrong = value_boolean(value, field);
    return wrong == NULL ? 0 : fail(option, value, wrong, error, error_size);
}

int option_set(const struct option *option, void *base, const char *value, char *error, size_t error_size) {
    void *field = field_of(option, base);
    switch (option->type) {
    case OPTION_BOOLEAN:
        return set_boolean(option, field, value, error, error_size);
    case OPTION_CHOICE:
        return set_choice(option, field, value, error, error_size);
    case OPTION_ADDRESSES:
        return set_list(option, field, value, normalise_address, error, error_size);
    case OPTION_SUBPROTOCOLS:
        return set_list(option, field, value, check_subprotocol, error, error_size);
    case OPTION_ORIGINS:
        return set_list(option, field, value, check_origin, error, error_size);
    case OPTION_NETWORKS:
        return set_list(option, field, value, check_network, error, error_size);
    case OPTION_HANDLER:
        return set_handler(option, field, value, error, error_size);
    default:
        return set_number(option, field, value, error, error_size);
    }
}

int option_set_defaults(const char *section, void *base) {
    char error[128]; /* memory can be out; nothing else is wrong with a default */
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, section) == 0 && option->default_value != NULL &&
            option_set(option, base, option->default_value, error, sizeof error) != 0)
            return -1;
    return 0;
}

static bool is_list(const struct option *option) {
    return option->type == OPTION_ADDRESSES || option->type == OPTION_SUBPROTOCOLS ||
           option->type == OPTION_ORIGINS || option->type == OPTION_NETWORKS;
}

void option_release(const char *section, void *base) {
    for (const struct option *option = options; option->name != NULL; option++) {
        void *field = field_of(option, base);
        if (strcmp(option->section, section) != 0)
            continue;
        if (is_list(option))
            value_list_free(*(char ***)field);
        else if (option->type == OPTION_HANDLER)
            free(*(char **)field);
    }
}

/* --- To text ----------------------------------------------------------------------------------------------- */

static uint64_t stored_number(const struct option *option, const void *field) {
    if (option->type == OPTION_DURATION)
        return *(const uint64_t *)field;
    return option->type == OPTION_SIZE ? *(const size_t *)field : *(const unsigned *)field;
}

static void print_list(char *const *list, FILE *out) {
    for (size_t i = 0; list[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", ", list[i]);
}

void option_print(const struct option *option, const void *base, FILE *out) {
    const void *field = value_of(option, base);
    char text[32];
    unsigned choice;
    switch (option->type) {
    case OPTION_BOOLEAN:
        fputs(*(const bool *)field ? "yes" : "no", out);
        break;
    case OPTION_CHOICE:
        memcpy(&choice, field, sizeof choice);
        fputs(option->choices[choice], out);
        break;
    case OPTION_ADDRESSES:
    case OPTION_SUBPROTOCOLS:
    case OPTION_ORIGINS:
    case OPTION_NETWORKS:
        print_list(*(char *const *const *)field, out);
        break;
    case OPTION_HANDLER:
        fputs(*(const char *const *)field, out);
        break;
    default:
        print_number(option, stored_number(option, field), text);
        fputs(text, out);
    }
}

void option_print_type(const struct option *option, FILE *out) {
    static const char *const names[] = {
        [OPTION_INTEGER] = "number",
        [OPTION_SIZE] = "size",
        [OPTION_DURATION] = "duration",
        [OPTION_BOOLEAN] = "yes or no",
        [OPTION_CHOICE] = "one of ",
        [OPTION_ADDRESSES] = "ADDRESS:PORT, [ADDRESS]:PORT or PORT; several with commas between",
        [OPTION_SUBPROTOCOLS] = "none, or names with commas between",
        [OPTION_ORIGINS] =
            "same-host, *, or SCHEME://HOST[:PORT] with * as a wildcard; several with commas between",
        [OPTION_NETWORKS] = "none, or ADDRESS/BITS with commas between",
        [OPTION_HANDLER] = "echo, broadcast or plugin:PATH",
    };
    fputs(names[option->type], out);
    if (option->type == OPTION_CHOICE)
        print_list((char *const *)option->choices, out);
    if (option->max == 0)
        return;
    char min[32], max[32];
    print_number(option, option->min, min);
    print_number(option, option->max, max);
    fprintf(out, ", %s to %s", min, max);
}
