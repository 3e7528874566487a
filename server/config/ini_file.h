/* ini_file.h - an ini file, read line by line. Knows neither sections nor keys by name.
 *
 * The text is UTF-8, with or without a byte order mark; lines end in LF or CRLF, the last one need not end. A line
 * is `[section]`, `key = value`, blank, or a comment that begins with # or ;. Blanks around names and values do not
 * count, a value goes on to the end of its line, and no line continues another. No section has two keys that differ
 * in the case of their letters alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_FILE_H
#define WEIR_CONFIG_INI_FILE_H

#include <stddef.h>

/* What to do with what is read, in the order of the file: a key before the first section, a section, a key in it.
 * Each returns 0, or -1 after writing an error to where ini_file_read()'s caller expects it. The strings are gone
 * afterwards. The keys of a section whose header is wrong are left out. */
struct ini_reader {
    int (*head)(void *context, const char *key, const char *value, unsigned line);
    int (*section)(void *context, const char *name, unsigned line);
    int (*value)(void *context, const char *key, const char *value, unsigned line);

    /* An error has been written: 0 to go on with the next line, -1 to stop. */
    int (*failed)(void *context);
};

/* Reads a whole file. Returns 0 if no error was written or `failed` has said to go on after each; else -1. An error
 * is one line, "path: why" or "path:line: why". */
int ini_file_read(const char *path, const struct ini_reader *reader, void *context, char *error, size_t error_size);

#endif
