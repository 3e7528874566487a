/* ini.h - an ini file, read section by section and line by line. Knows neither sections nor keys by name.
 *
 * The text is UTF-8, with or without a byte order mark; lines end in LF or CRLF, the last one need not end. A line
 * is `[section]`, `key = value`, blank, or a comment that begins with # or ;. Blanks around names and values do not
 * count, a value goes on to the end of its line, and no line continues another.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_H
#define WEIR_CONFIG_INI_H

#include <stddef.h>

/* What to do with what is read, in the order of the file's sections. Each returns 0 to go on; -1 stops, after
 * writing an error of its own to wherever ini_read()'s caller expects it. The strings are gone afterwards. */
struct ini_reader {
    int (*section)(void *context, const char *name, unsigned line);
    int (*value)(void *context, const char *key, const char *value, unsigned line);
};

/* Reads a whole file. Returns 0; or -1 with one line in `error`, "path: why" or "path:line: why", unless `reader`
 * has written it. */
int ini_read(const char *path, const struct ini_reader *reader, void *context, char *error, size_t error_size);

#endif
