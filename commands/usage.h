/* usage.h - what a command prints about arguments that it does not understand. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_COMMANDS_USAGE_H
#define WEIR_COMMANDS_USAGE_H

#include <stddef.h>

/* A table whose rows begin with a name, such as `struct option`: rows of `size` bytes, up to one whose name is
 * NULL. */
struct names {
    const void *rows;
    size_t size;
};
#define NAMES_OF(table) ((struct names){(table), sizeof *(table)})

/* Returns the name that the word most likely misspells: at most two letters added, missing, wrong or swapped, one
 * in a word of three letters, none in a word of two. If there is none, returns the only name that begins with the
 * word, or NULL. */
const char *usage_nearest(const char *word, struct names names);

/* Prints "; did you mean --name?" on stderr if there is a nearest name; `dashes` precede it. */
void usage_suggest(const char *dashes, const char *word, struct names names);

struct option;

/* Reports an option for which getopt_long() returned '?' or ':', with opterr 0 and short options that begin with
 * ':'. Prints the error on stderr, with the name that was probably meant, and returns STATUS_USAGE. */
int usage_wrong_option(char **argv, int problem, const struct option *options);

/* Returns the long name of the option for which getopt_long() returns `value`; NULL if there is none. */
const char *usage_option_name(const struct option *options, int value);

#endif
