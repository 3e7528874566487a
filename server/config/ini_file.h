/* ini_file.h - an ini file, read section by section and line by line. Knows neither sections nor keys by name.
 *
 * The text is UTF-8, with or without a byte order mark; lines end in LF or CRLF, the last one need not end. A line
 * is `[section]`, `key = value`, blank, or a comment that begins with # or ;. Blanks around names and values do not
 * count, a value goes on to the end of its line, and no line continues another.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_FILE_H
#define WEIR_CONFIG_INI_FILE_H

#include <stddef.h>

#include "server/config/ini.h"

/* Reads a whole file. Returns 0; or -1 with one line in `error`, "path: why" or "path:line: why", unless `reader`
 * has written it. */
int ini_file_read(const char *path, const struct ini_reader *reader, void *context, char *error, size_t error_size);

#endif
