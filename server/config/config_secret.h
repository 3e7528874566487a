/* config_secret.h - secrets in files of their own: one line that only the file's owner and group may reach. No
 * error has any of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_SECRET_H
#define WEIR_CONFIG_CONFIG_SECRET_H

#include <stddef.h>

/* What a secret must look like. */
struct secret_form {
    size_t most;       /* characters */
    const char *shape; /* "one line of 16 to 256 characters" */

    /* What is wrong with it, or NULL. */
    const char *(*flaw)(const char *text);
};

enum { SECRET_SIZE_MAX = 1024 };

/* A new string; or NULL, and `why` continues `"/path" `: "is empty; it must have one line of 16 to 256 characters".
 */
char *secret_read(const char *path, const struct secret_form *form, char *why, size_t why_size);

#endif
