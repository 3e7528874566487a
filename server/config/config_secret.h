/* config_secret.h - reads secrets from files of their own. A file has one line, and only its owner and group may
 * access it. No error message contains any part of a secret.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_SECRET_H
#define WEIR_CONFIG_CONFIG_SECRET_H

#include <stddef.h>

/* What a secret must look like. */
struct secret_form {
    size_t most;       /* characters, at most SECRET_SIZE_MAX */
    const char *shape; /* "one line of 16 to 256 characters" */

    /* Returns what is wrong with the text, or NULL. */
    const char *(*check)(const char *text);
};

enum { SECRET_SIZE_MAX = 1024 };

/* Reads a secret. The caller frees the result. Returns NULL on error; `why` then continues `"/path" `: "is empty;
 * it must have one line of 16 to 256 characters". */
char *secret_read(const char *path, const struct secret_form *form, char *why, size_t why_size);

#endif
