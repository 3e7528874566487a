/* config_location.c - where values come from: keeps the names of sources, writes errors that begin with a location,
 * and resolves paths relative to a location.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config/config_private.h"

const char config_program[] = "weir_server_set()";

const char *config_keep(struct config *config, const char *source) {
    char **sources = realloc(config->sources, (config->source_count + 1) * sizeof *sources);
    if (sources == NULL)
        return NULL;
    config->sources = sources;
    char *copy = strdup(source);
    if (copy != NULL)
        sources[config->source_count++] = copy;
    return copy;
}

bool config_is_variable(struct config_location location) {
    return location.line == 0 && location.source != NULL && strncmp(location.source, "WEIR_", 5) == 0;
}

/* --- Errors ------------------------------------------------------------------------------------------------ */

/* Writes the location. Returns how many bytes of `error` are used. */
static size_t begin_error(struct config_location location, char *error, size_t error_size) {
    int used = 0;
    *error = '\0';
    if (location.line > 0)
        used = snprintf(error, error_size, "%s:%u: ", location.source, location.line);
    else if (location.source != NULL && location.source != config_program)
        used = snprintf(error, error_size, "%s: ", location.source);
    return used < 0 || (size_t)used >= error_size ? error_size - 1 : (size_t)used;
}

int config_fail(struct config_location location, char *error, size_t error_size, const char *format, ...) {
    size_t used = begin_error(location, error, error_size);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error + used, error_size - used, format, arguments);
    va_end(arguments);
    return -1;
}

int config_fail_at(struct config_location location, const char *key, char *error, size_t error_size,
                   const char *format, ...) {
    bool names_key = location.line == 0 && location.source != NULL && location.source != config_program;
    char why[CONFIG_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return config_fail(location, error, error_size, "%s%s%s", names_key ? "" : key, names_key ? "" : ": ", why);
}

int config_go_on(const struct config *config, const char *error) {
    struct config_errors *errors = config->errors;
    if (errors == NULL)
        return -1;
    errors->count++;
    errors->report(errors->context, error);
    return 0;
}

/* --- Paths ------------------------------------------------------------------------------------------------- */

static char *join(const char *folder, size_t folder_size, const char *path) {
    char *joined;
    return asprintf(&joined, "%.*s/%s", (int)folder_size, folder, path) < 0 ? NULL : joined;
}

char *config_absolute_path(struct config_location location, const char *path) {
    if (*path == '/')
        return strdup(path);
    const char *slash = location.line > 0 ? strrchr(location.source, '/') : NULL;
    char *relative = slash != NULL ? join(location.source, (size_t)(slash - location.source), path) : strdup(path);
    if (relative == NULL || *relative == '/')
        return relative;
    char *working = getcwd(NULL, 0);
    char *absolute = working != NULL ? join(working, strlen(working), relative) : NULL;
    free(working);
    free(relative);
    return absolute;
}
