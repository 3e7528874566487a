/* config_include.c - finds the files that an `include` names.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/config/config_private.h"
#include "server/config/value.h"

static const char wildcards[] = "*?[";

/* Arguments of one `include`. */
struct include {
    struct config_location location;
    int (*read)(void *context, const char *path);
    void *context;
    char *error;
    size_t error_size;
};

static int fail(const struct include *include, const char *path, const char *why) {
    char quoted[VALUE_QUOTED_SIZE];
    return config_fail(include->location, include->error, include->error_size, "include: %s %s",
                       value_quote(path, quoted), why);
}

/* Returns the pattern, relative to the folder of the file that contains it. That folder's name is escaped, because
 * it is not a pattern. NULL if memory is out. */
static char *from_folder(const char *file, const char *pattern) {
    const char *slash = *pattern == '/' ? NULL : strrchr(file, '/');
    size_t folder = slash != NULL ? (size_t)(slash + 1 - file) : 0;
    size_t size = strlen(pattern) + 1;
    char *whole = malloc(2 * folder + size), *at = whole;
    if (whole == NULL)
        return NULL;
    for (size_t i = 0; i < folder; i++) {
        if (strchr("*?[]\\", file[i]) != NULL)
            *at++ = '\\';
        *at++ = file[i];
    }
    memcpy(at, pattern, size);
    return whole;
}

/* A folder that does not exist matches nothing. One that cannot be read might match, so it is an error. */
static int on_unreadable_folder(const char *path, int code) {
    (void)path;
    return code != ENOENT && code != ENOTDIR;
}

static int read_one(const struct include *include, const char *path) {
    struct stat status;
    const char *wrong = value_text_error(path, strlen(path));
    if (wrong != NULL)
        return fail(include, "a file's name", wrong);
    if (stat(path, &status) != 0) {
        char why[128];
        snprintf(why, sizeof why, "cannot be read: %s", strerror(errno));
        return fail(include, path, why);
    }
    if (!S_ISREG(status.st_mode))
        return fail(include, path, "is not a regular file");
    return include->read(include->context, path);
}

static int read_pattern(const struct include *include, const char *item) {
    char *pattern = from_folder(include->location.source, item);
    if (pattern == NULL)
        return fail(include, item, "cannot be stored: out of memory");
    glob_t found = {0};
    int code = glob(pattern, 0, on_unreadable_folder, &found);
    int result = 0;
    if (code == GLOB_NOMATCH)
        result = strpbrk(item, wildcards) != NULL ? 0 : fail(include, item, "does not exist");
    else if (code != 0)
        result = fail(include, item,
                      code == GLOB_NOSPACE ? "matches too many files" : "leads to a folder that cannot be read");
    for (size_t i = 0; code == 0 && result == 0 && i < found.gl_pathc; i++)
        result = read_one(include, found.gl_pathv[i]);
    globfree(&found);
    free(pattern);
    return result;
}

int config_include(const char *patterns, struct config_location location,
                   int (*read)(void *context, const char *path), void *context, char *error, size_t error_size) {
    const struct include include = {location, read, context, error, error_size};
    char **items;
    const char *wrong = value_list(patterns, &items);
    if (wrong != NULL)
        return fail(&include, patterns, wrong);
    int result = 0;
    for (char **item = items; result == 0 && *item != NULL; item++)
        result = read_pattern(&include, *item);
    value_list_free(items);
    return result;
}
