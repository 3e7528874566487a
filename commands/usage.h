/* usage.h - what a command says of a command line that it does not understand. For one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_COMMANDS_USAGE_H
#define WEIR_COMMANDS_USAGE_H

#include <stddef.h>

/* A name in a table whose rows begin with one, like `struct option`: rows of `size` bytes up to one with NULL. */
struct names {
    const void *rows;
    size_t size;
};
#define NAMES_OF(table) ((struct names){(table), sizeof *(table)})

/* The name that the word is most likely a misspelling of: at most two letters added, missing, wrong or swapped, one
 * in a word of three, none in a word of two; or the only name that begins with it. NULL if there is none. */
const char *usage_nearest(const char *word, struct names names);

/* "; did you mean --name?" on stderr, if there is a nearest one; `dashes` stands before it. */
void usage_suggest(const char *dashes, const char *word, struct names names);

struct option;

/* What getopt_long() returned '?' or ':' for, with opterr 0 and short options that begin with ':'. Says so on
 * stderr, with the name that was probably meant, and returns STATUS_USAGE. */
int usage_wrong_option(char **argv, int problem, const struct option *options);

/* The long name of an option, by the value that getopt_long() returns for it; NULL if there is none. */
const char *usage_option_name(const struct option *options, int value);

#endif
