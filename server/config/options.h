/* options.h - the one table of what can be configured, and how a value gets from text into its field and back.
 *
 * Every option of the ini file is a row here; reading, printing, `weir check --list` and the test that holds
 * conf/weir.ini against the table all go by it.
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

/* And the C type of the field. */
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
    OPTION_HANDLER,      /* char *: echo, broadcast, channel, channels, plugin:PATH */
    OPTION_CHANNEL,      /* char *, see channel_template_flaw(); NULL: none */
    OPTION_CHANNELS,     /* char **, see channel_pattern_flaw() */
    OPTION_PATH,         /* char *; NULL: the default, a word that stands for no file */
    OPTION_SECRET        /* char *, see value_secret(); NULL: none. Never printed, not even in an error */
};

struct option {
    const char *section; /* of option_sections */
    const char *name;
    enum option_type type;
    bool restart;               /* a new value takes effect when the server starts again */
    const char *default_value;  /* as it would be written in the file; NULL: it must be given */
    uint64_t min, max;          /* of an integer, a size or a duration */
    const char *const *choices; /* of a choice; NULL-terminated */
    size_t offset;              /* of the field in struct config; or config_channel, config_route */
    option_applies *applies;    /* NULL: always */
    const char *help;           /* one line */
};

/* A row with a NULL name ends the table. Rows of one section stand together. */
extern const struct option options[];
extern const size_t option_count;

/* The sections, NULL-terminated, in the table's order; a section as its header is written: "server",
 * "route PATTERN". */
extern const char *const option_sections[];
const char *option_section_title(const char *section);

/* Whether it is one of those that a header may begin more than once, each with a pattern of its own. */
bool option_section_has_pattern(const char *section);

const struct option *option_find(const char *section, const char *name);

/* The option that was perhaps meant by a name that its section does not have: another section's of this name, or
 * one with a similar name, of the same section if there is one. NULL if there is none. */
const struct option *option_meant(const char *section, const char *name);

/* Writes what is wrong with a name that option_find() or option_sections does not have, and what was perhaps meant.
 */
void option_unknown(const char *section, const char *name, char *error, size_t error_size);
void option_unknown_section(const char *section, char *error, size_t error_size);

/* Base is the struct that the option's field lies in. Whatever the field held is freed. Returns 0; or -1, and the
 * field is as it was: `error` says what is wrong with the value and needs the option's name in front of it. */
int option_set(const struct option *option, void *base, const char *value, char *error, size_t error_size);

/* Gives every option of a section its default, if it has one. Returns -1 if memory is out. */
int option_set_defaults(const char *section, void *base);

/* Frees what the fields of a section's options hold. */
void option_release(const char *section, void *base);

/* option_print.c: the value as option_set() would read it, save that a secret is `none`; the type with its bounds,
 * as people read it. */
void option_print(const struct option *option, const void *base, FILE *out);
void option_print_type(const struct option *option, FILE *out);
void option_print_number(const struct option *option, uint64_t number, char text[32]);

#endif
