/* option_value.c - converts text to a value in an option's field. It depends on the type alone and knows no option
 * by name. option_print.c converts back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "server/channels/channel_name.h"
#include "server/config/options.h"
#include "server/config/retired.h"
#include "server/config/value.h"

/* A choice is stored as an unsigned, which must have the size of its enum. */
enum sample { SAMPLE };
_Static_assert(sizeof(enum sample) == sizeof(unsigned), "enums are as large as unsigned");

enum { ITEMS_MAX = 64 };

static const char no_memory[] = "cannot be stored: out of memory";

static void *field_of(const struct option *option, void *base) {
    return (char *)base + option->offset;
}

static int fail(const char *value, const char *what, char *error, size_t error_size) {
    /* In `workers = 8 # cores` the value looks right, so the error mentions the comment. */
    bool comment = strstr(value, " #") != NULL || strstr(value, " ;") != NULL;
    char quoted[VALUE_QUOTED_SIZE];
    snprintf(error, error_size, "%s %s%s", value_quote(value, quoted), what,
             comment ? " (put a comment on a line of its own)" : "");
    return -1;
}

/* --- Numbers and choices ----------------------------------------------------------------------------------- */

static int set_number(const struct option *option, void *field, const char *value, char *error, size_t error_size) {
    uint64_t number = 0;
    const char *wrong = option->type == OPTION_DURATION ? value_duration(value, &number)
                        : option->type == OPTION_SIZE   ? value_size(value, &number)
                                                        : value_integer(value, &number);
    if (wrong != NULL)
        return fail(value, wrong, error, error_size);
    if (number < option->min || number > option->max) {
        char min[32], max[32], bounds[128];
        option_print_number(option, option->min, min);
        option_print_number(option, option->max, max);
        snprintf(bounds, sizeof bounds, "is out of range; it must be from %s to %s", min, max);
        return fail(value, bounds, error, error_size);
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
    char what[128] = "is not one of ";
    for (unsigned i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(value, option->choices[i]) == 0) {
            memcpy(field, &i, sizeof i);
            return 0;
        }
        size_t used = strlen(what);
        snprintf(what + used, sizeof what - used, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    }
    return fail(value, what, error, error_size);
}

/* --- Lists ------------------------------------------------------------------------------------------------- */

/* Returns true if the item is `none` and the option accepts that as an empty list. */
static bool is_none(const struct option *option, const char *item) {
    return strcmp(option->default_value, "none") == 0 && strcmp(item, "none") == 0;
}

/* Replaces item `count` by its canonical form, which must differ from the items before it. */
static const char *normalise_address(const struct option *option, char **list, size_t count) {
    char address[VALUE_ADDRESS_SIZE];
    if (is_none(option, list[count]))
        return list[1] == NULL ? NULL : "must be the only item";
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

/* Checks item `count`. A default that is a word, such as `none`, must be the only item. */
static const char *check_item(const struct option *option, char **list, size_t count,
                              const char *(*check)(const char *item)) {
    if (strcmp(list[count], option->default_value) == 0 && value_origin(option->default_value) != NULL)
        return list[1] == NULL ? NULL : "must be the only item";
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
    if (is_none(option, list[count]))
        return list[1] == NULL ? NULL : "must be the only item";
    if (!network_parse(list[count], &network))
        return "is not a network; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32";
    return find_twice(list, count);
}

static const char *check_channel(const struct option *option, char **list, size_t count) {
    (void)option;
    const char *wrong = channel_pattern_error(list[count]);
    return wrong != NULL ? wrong : find_twice(list, count);
}

/* Returns true for a word that stands for an empty list. */
static bool is_word(const struct option *option, const char *item) {
    return strcmp(item, option->default_value) == 0 && (strcmp(item, "none") == 0 || strcmp(item, "inherit") == 0);
}

/* Sets a list; a word such as `none` becomes an empty one. `check` checks item `count` after the items before it
 * have passed, and may replace it. */
static int set_list(const struct option *option, char ***field, const char *value,
                    const char *(*check)(const struct option *option, char **list, size_t count), char *error,
                    size_t error_size) {
    char **list;
    const char *wrong = value_list(value, &list);
    if (wrong != NULL)
        return fail(value, wrong, error, error_size);
    for (size_t i = 0; list[i] != NULL; i++)
        if ((wrong = i < ITEMS_MAX ? check(option, list, i) : "is one item too many") != NULL) {
            fail(list[i], wrong, error, error_size);
            value_list_free(list);
            return -1;
        }
    if (list[0] != NULL && is_word(option, list[0])) {
        free(list[0]);
        list[0] = NULL;
    }
    value_list_free(*field);
    *field = list;
    return 0;
}

/* --- Texts ------------------------------------------------------------------------------------------------- */

/* Stores a copy of the value, or NULL if the value is NULL. */
static int set_text(char **field, const char *value, char *error, size_t error_size) {
    char *copy = value != NULL ? strdup(value) : NULL;
    if (value != NULL && copy == NULL) {
        snprintf(error, error_size, "the value %s", no_memory);
        return -1;
    }
    free(*field);
    *field = copy;
    return 0;
}

static int set_handler(char **field, const char *value, char *error, size_t error_size) {
    static const char *const builtin[] = {"echo", "broadcast", "relay", "pubsub", NULL};
    bool known = strncmp(value, "plugin:", 7) == 0 && value[7] != '\0';
    for (size_t i = 0; !known && builtin[i] != NULL; i++)
        known = strcmp(value, builtin[i]) == 0;
    const char *now = retired_handler(value);
    if (now != NULL) {
        snprintf(error, error_size, "the handler %s is now called %s", value, now);
        return -1;
    }
    if (!known)
        return fail(value, "is not a handler; write echo, broadcast, relay, pubsub or plugin:PATH", error,
                    error_size);
    return set_text(field, value, error, error_size);
}

static int set_channel(const struct option *option, char **field, const char *value, char *error,
                       size_t error_size) {
    const char *wrong = channel_template_error(value);
    if (wrong != NULL)
        return fail(value, wrong, error, error_size);
    return set_text(field, strcmp(value, option->default_value) == 0 ? NULL : value, error, error_size);
}

static int set_path(const struct option *option, char **field, const char *value, char *error, size_t error_size) {
    if (*value == '\0')
        return fail(value, "is not a path", error, error_size);
    return set_text(field, strcmp(value, option->default_value) == 0 ? NULL : value, error, error_size);
}

static int set_secret(const struct option *option, char **field, const char *value, char *error,
                      size_t error_size) {
    if (strcmp(value, option->default_value) == 0)
        return set_text(field, NULL, error, error_size);
    const char *wrong = value_secret(value);
    if (wrong == NULL)
        return set_text(field, value, error, error_size);
    snprintf(error, error_size, "the value %s", wrong);
    return -1;
}

static int set_boolean(bool *field, const char *value, char *error, size_t error_size) {
    const char *wrong = value_boolean(value, field);
    return wrong == NULL ? 0 : fail(value, wrong, error, error_size);
}

/* --- Whatever the type ------------------------------------------------------------------------------------- */

int option_set(const struct option *option, void *base, const char *value, char *error, size_t error_size) {
    void *field = field_of(option, base);
    switch (option->type) {
    case OPTION_BOOLEAN:
        return set_boolean(field, value, error, error_size);
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
        return set_handler(field, value, error, error_size);
    case OPTION_CHANNEL:
        return set_channel(option, field, value, error, error_size);
    case OPTION_CHANNELS:
        return set_list(option, field, value, check_channel, error, error_size);
    case OPTION_PATH:
        return set_path(option, field, value, error, error_size);
    case OPTION_SECRET:
        return set_secret(option, field, value, error, error_size);
    default:
        return set_number(option, field, value, error, error_size);
    }
}

size_t option_field_size(const struct option *option) {
    switch (option->type) {
    case OPTION_INTEGER:
    case OPTION_CHOICE:
        return sizeof(unsigned);
    case OPTION_SIZE:
        return sizeof(size_t);
    case OPTION_DURATION:
        return sizeof(uint64_t);
    case OPTION_BOOLEAN:
        return sizeof(bool);
    default:
        return sizeof(void *);
    }
}

int option_set_defaults(const char *section, void *base) {
    char error[128]; /* not used: with a default, the only possible error is that memory is out */
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, section) == 0 && option->default_value != NULL &&
            option_set(option, base, option->default_value, error, sizeof error) != 0)
            return -1;
    return 0;
}

static bool is_list(const struct option *option) {
    return option->type == OPTION_ADDRESSES || option->type == OPTION_SUBPROTOCOLS ||
           option->type == OPTION_ORIGINS || option->type == OPTION_NETWORKS || option->type == OPTION_CHANNELS;
}

static bool is_text(const struct option *option) {
    return option->type == OPTION_HANDLER || option->type == OPTION_CHANNEL || option->type == OPTION_PATH ||
           option->type == OPTION_SECRET;
}

void option_release(const char *section, void *base) {
    for (const struct option *option = options; option->name != NULL; option++) {
        void *field = field_of(option, base);
        if (strcmp(option->section, section) != 0)
            continue;
        if (is_list(option))
            value_list_free(*(char ***)field);
        else if (is_text(option))
            free(*(char **)field);
    }
}
