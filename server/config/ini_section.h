/* ini_section.h - what ini.c and ini_section.c share: where reading stands.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_INI_SECTION_H
#define WEIR_CONFIG_INI_SECTION_H

#include "server/config/ini.h"

/* One call of ini_read(). */
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
 * Returns 0 or -1, as ini_read() does. */
int ini_read_section(const struct ini_source *source, const struct ini_section *section, char *end);

#endif
