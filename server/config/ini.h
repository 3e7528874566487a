/* ini.h - the `key = value` lines of one section of an ini file. Reading a whole file is ini_file.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_H
#define WEIR_CONFIG_INI_H

#include <stddef.h>

/* What to do with what is read, in the order of the file's sections: a key before the first one, a section, a key
 * in it. Each returns 0 to go on; -1 stops, after writing an error of its own to wherever ini_file_read()'s caller
 * expects it. The strings are gone afterwards. */
struct ini_reader {
    int (*head)(void *context, const char *key, const char *value, unsigned line);
    int (*section)(void *context, const char *name, unsigned line);
    int (*value)(void *context, const char *key, const char *value, unsigned line);
};

/* One call of ini_file_read(). */
struct ini_source {
    const char *path;
    const struct ini_reader *reader;
    void *context;
    char *error;
    size_t error_size;
};

/* A section from its header to the next one's. The header has been overwritten with "[s]". */
struct ini_section {
    char *start; /* NULL before the first header */
    unsigned line;
    unsigned keys;
};

/* Writes "path:line: why", or "path: why" if line is 0. Returns -1. */
int ini_fail(const struct ini_source *source, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands the section's values to the reader. The text may be overwritten, and text[end] is a byte that may be.
 * Returns 0 or -1, as ini_file_read() does. */
int ini_read_section(const struct ini_source *source, const struct ini_section *section, char *end);

#endif
