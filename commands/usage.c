/* usage.c - see usage.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/usage.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands/commands.h"

enum { WORD_MAX = 32, MISTAKES_MAX = 2 };

/* --- Misspelled names -------------------------------------------------------------------------------------- */

static size_t usage_least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Returns how many letters must be added, removed, changed or swapped with the next one to turn one word into the
 * other (optimal string alignment). Each row of the matrix needs the two before it. */
static size_t usage_mistakes(const char *word, size_t word_size, const char *name, size_t name_size) {
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= name_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= word_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *higher = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= name_size; j++) {
            row[j] =
                usage_least(usage_least(above[j], row[j - 1]) + 1, above[j - 1] + (word[i - 1] != name[j - 1]));
            if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
                row[j] = usage_least(row[j], higher[j - 2] + 1);
        }
    }
    return rows[word_size % 3][name_size];
}

/* Returns the name in row i; NULL at the end. */
static const char *usage_name_at(struct names names, size_t i) {
    return *(const char *const *)((const char *)names.rows + i * names.size);
}

/* Returns the only name that begins with the word; NULL if there is none or several. */
static const char *usage_completed(const char *word, struct names names) {
    const char *found = NULL, *name;
    for (size_t i = 0; (name = usage_name_at(names, i)) != NULL; i++) {
        if (strncmp(name, word, strlen(word)) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = name;
    }
    return found;
}

const char *usage_nearest(const char *word, struct names names) {
    size_t size = strlen(word);
    if (size < 2 || size > WORD_MAX)
        return NULL;
    size_t fewest = usage_least(size - 2, MISTAKES_MAX) + 1; /* one more than is accepted */
    const char *nearest = NULL, *name;
    for (size_t i = 0; (name = usage_name_at(names, i)) != NULL; i++) {
        size_t count = strlen(name) <= WORD_MAX ? usage_mistakes(word, size, name, strlen(name)) : fewest;
        if (count < fewest) {
            fewest = count;
            nearest = name;
        }
    }
    return nearest != NULL ? nearest : usage_completed(word, names);
}

void usage_suggest(const char *dashes, const char *word, struct names names) {
    const char *meant = usage_nearest(word, names);
    if (meant != NULL)
        fprintf(stderr, "; did you mean %s%s?", dashes, meant);
}

/* --- Options ------------------------------------------------------------------------------------------------ */

const char *usage_option_name(const struct option *options, int value) {
    size_t i = 0;
    while (options[i].name != NULL && options[i].val != value)
        i++;
    return options[i].name;
}

/* Prints that the option is unknown, with all options that the word abbreviates or the nearest one. */
static void usage_print_unknown(const char *word, const struct option *options) {
    size_t size = strcspn(word, "="), count = 0;
    char name[WORD_MAX + 1];
    fprintf(stderr, "unknown option --%s", word);
    if (size > WORD_MAX)
        return;
    memcpy(name, word, size);
    name[size] = '\0';
    for (size_t i = 0; options[i].name != NULL; i++)
        if (strncmp(options[i].name, name, size) == 0)
            fprintf(stderr, "%s --%s", count++ == 0 ? "; it could be" : ",", options[i].name);
    if (count == 0)
        usage_suggest("--", name, NAMES_OF(options));
}

int usage_wrong_option(char **argv, int problem, const struct option *options) {
    const char *text = argv[optind - 1], *known = usage_option_name(options, optopt);
    fprintf(stderr, "%s: ", argv[0]);
    if (problem == ':')
        fprintf(stderr, "--%s needs an argument", known);
    else if (strncmp(text, "--", 2) != 0)
        fprintf(stderr, "unknown option -%c", optopt);
    else if (known != NULL)
        fprintf(stderr, "--%s takes no argument", known);
    else
        usage_print_unknown(text + 2, options);
    fprintf(stderr, "; `%s --help` shows the options\n", argv[0]);
    return STATUS_USAGE;
}
