/* ini_file.h - reads an ini file line by line. It knows neither sections nor keys by name.
 *
 * The text is UTF-8, with or without a byte order mark. Lines end in LF or CRLF; the last line may lack it. A line
 * is `[section]`, `key = value`, blank, or a comment that begins with # or ;. Blanks around names and values do not
 * count. A value extends to the end of its line, and no line continues another. Keys of one section must differ in
 * more than case.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_FILE_H
#define WEIR_CONFIG_INI_FILE_H

#include <stddef.h>

/* Callbacks for the lines, in the order of the file: `head` for a key before the first section, `section` for a
 * section, `value` for a key in it. Each returns 0, or -1 after writing an error to the `error` of ini_file_read().
 * The strings are valid until the callback returns. If `section` returns -1, its keys are skipped. */
struct ini_reader {
    int (*head)(void *context, const char *key, const char *value, unsigned line);
    int (*section)(void *context, const char *name, unsigned line);
    int (*value)(void *context, const char *key, const char *value, unsigned line);

    /* Called after an error has been written. Returns 0 to go on with the next line, -1 to stop. */
    int (*failed)(void *context);
};

/* Reads a whole file. Returns 0 if there was no error, or if `failed` returned 0 after each; else -1. An error is
 * one line, "path: why" or "path:line: why". */
int ini_file_read(const char *path, const struct ini_reader *reader, void *context, char *error, size_t error_size);

#endif
