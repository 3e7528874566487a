/* options.h - the option table, and the conversion of values from text into their fields and back.
 *
 * Every option of the ini file is a row of the table. Reading, printing, `weir check --list` and the test that
 * compares conf/weir.ini with the table all use it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_OPTIONS_H
#define WEIR_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "server/config/option_applies.h"

/* The type of an option, with the C type of its field. */
enum option_type {
    OPTION_INTEGER,      /* unsigned */
    OPTION_SIZE,         /* size_t, bytes */
    OPTION_DURATION,     /* uint64_t, milliseconds */
    OPTION_BOOLEAN,      /* bool */
    OPTION_CHOICE,       /* an enum whose values count the choices from 0 */
    OPTION_ADDRESSES,    /* char **, see value_address() */
    OPTION_SUBPROTOCOLS, /* char **, see value_subprotocol() */
    OPTION_ORIGINS,      /* char **, see value_origin() */
    OPTION_NETWORKS,     /* char **, see network_parse() */
    OPTION_HANDLER,      /* char *: echo, broadcast, relay, pubsub, plugin:PATH */
    OPTION_CHANNEL,      /* char *, see channel_template_error(); NULL: none */
    OPTION_CHANNELS,     /* char **, see channel_pattern_error() */
    OPTION_PATH,         /* char *; NULL: the default, a word that means no file */
    OPTION_SECRET        /* char *, see value_secret(); NULL: none. Never printed, not even in an error */
};

struct option {
    const char *section; /* of option_sections */
    const char *name;
    enum option_type type;
    bool restart;               /* a new value takes effect at the next start of the server */
    const char *default_value;  /* as written in the file; NULL: the option must be given */
    uint64_t min, max;          /* of an integer, a size or a duration */
    const char *const *choices; /* of a choice; NULL-terminated */
    size_t offset;              /* of the field in struct config, config_channel or config_route */
    option_applies *applies;    /* NULL: always */
    const char *help;           /* one line */
};

/* The option table. A row with a NULL name ends it. The rows of one section stand together. */
extern const struct option options[];
extern const size_t option_count;

/* The sections, NULL-terminated, in the table's order. */
extern const char *const option_sections[];

/* Returns a section as its header is written: "server", "route PATTERN". */
const char *option_section_title(const char *section);

/* Returns true if the section takes a pattern, so that a file may have several of its kind. */
bool option_section_has_pattern(const char *section);

/* Returns true for a section without a pattern: its options lie in struct config itself. */
bool option_section_is_plain(const char *section);

/* Returns the option of this name in the section, or NULL. */
const struct option *option_find(const char *section, const char *name);

/* Guesses which option an unknown name in a section means: the option of this name in another section; or else one
 * of a similar name, of the same section if possible. NULL if nothing is near. */
const struct option *option_meant(const char *section, const char *name);

/* Writes an error for a name that option_find() does not find, with a guess of what was meant. */
void option_unknown(const char *section, const char *name, char *error, size_t error_size);

/* Writes an error for a section that option_sections does not have, with a guess of what was meant. */
void option_unknown_section(const char *section, char *error, size_t error_size);

/* Sets the option's field in `base`, the struct that contains it, and frees the previous value. Returns 0; or -1
 * with the field unchanged: `error` says what is wrong, and needs the option's name in front of it. */
int option_set(const struct option *option, void *base, const char *value, char *error, size_t error_size);

/* Returns the size of the option's field. */
size_t option_field_size(const struct option *option);

/* Sets every option of a section that has a default. Returns 0, or -1 if memory is out. */
int option_set_defaults(const char *section, void *base);

/* Frees the values of all options of a section. */
void option_release(const char *section, void *base);

/* --- option_print.c --- */

/* Prints an option's value as option_set() would read it, except that a secret is printed as `none`. */
void option_print(const struct option *option, const void *base, FILE *out);

/* Prints an option's type with its bounds, for people. */
void option_print_type(const struct option *option, FILE *out);

/* Writes a number as a value of the option, with its unit. */
void option_print_number(const struct option *option, uint64_t number, char text[32]);

#endif
