/* config_load.c - applies the sections and lines of an ini file: sets options, adds sections with a pattern,
 * includes files, and reports errors with their lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/config/config_private.h"
#include "server/config/ini_file.h"
#include "server/config/options.h"
#include "server/config/value.h"

/* State of reading one file. */
struct load {
    struct config *config;
    const char *path; /* the configuration owns it */
    char *error;
    size_t error_size;
    struct config_section section; /* the current one; one with a pattern is the last of its kind */
    unsigned seen;                 /* a bit for each section that may come only once, by index in option_sections */

    const struct load *includer; /* NULL for the first file */
    unsigned depth;
    dev_t device; /* device and inode identify a file, whatever its path */
    ino_t inode;
};

static struct config_location location_of(const struct load *load, unsigned line) {
    return (struct config_location){.source = load->path, .line = line};
}

static int fail_at(const struct load *load, unsigned line, const char *why) {
    return config_fail(location_of(load, line), load->error, load->error_size, "%s", why);
}

/* --- Sections ---------------------------------------------------------------------------------------------- */

static int fail_twice(const struct load *load, const struct config_section *other, unsigned line) {
    char quoted[VALUE_QUOTED_SIZE], where[CONFIG_ERROR_SIZE - 128];
    if (strcmp(other->location.source, load->path) != 0)
        snprintf(where, sizeof where, " in %s:%u", other->location.source, other->location.line);
    else if (other->location.line != line)
        snprintf(where, sizeof where, " on line %u", other->location.line);
    else
        snprintf(where, sizeof where, "; this file is read twice");
    value_quote(other->pattern, quoted);
    return config_fail(location_of(load, line), load->error, load->error_size, "the %s %s is already defined%s",
                       other->section, quoted, where);
}

static int begin_with_pattern(struct load *load, const char *section, const char *pattern, unsigned line) {
    struct config_section other;
    if (config_find_section(load->config, section, pattern, &other))
        return fail_twice(load, &other, line);
    return config_add_section(load->config, section, pattern, location_of(load, line), &load->section, load->error,
                              load->error_size);
}

static int on_section(void *context, const char *name, unsigned line) {
    struct load *load = context;
    char why[CONFIG_ERROR_SIZE];
    const char *section, *pattern = config_split_header(name, &section);
    if (pattern != NULL)
        return begin_with_pattern(load, section, pattern, line);
    for (unsigned i = 0; option_sections[i] != NULL; i++)
        if (strcmp(option_sections[i], name) == 0) {
            if ((load->seen & 1u << i) != 0) {
                snprintf(why, sizeof why, "[%s] appears a second time; put all its keys under the first", name);
                return fail_at(load, line, why);
            }
            load->seen |= 1u << i;
            load->section = (struct config_section){
                .section = option_sections[i], .locations = load->config->locations, .base = load->config};
            return 0;
        }
    option_unknown_section(name, why, sizeof why);
    return fail_at(load, line, why);
}

static int on_value(void *context, const char *key, const char *value, unsigned line) {
    struct load *load = context;
    const struct config_setting setting = {load->section.section, key, value, location_of(load, line)};
    return config_apply_to_section(&load->section, &setting, load->error, load->error_size);
}

/* Called for all errors of the file, including errors in the syntax of lines. */
static int on_failure(void *context) {
    const struct load *load = context;
    return config_go_on(load->config, load->error);
}

/* --- Files ------------------------------------------------------------------------------------------------- */

static int read_file(struct config *config, const char *path, const struct load *includer, char *error,
                     size_t error_size);

/* Context of one `include` line. */
struct inclusion {
    const struct load *load;
    unsigned line;
};

/* Prints "a.ini -> b.ini -> a.ini". */
static void print_chain(const struct load *load, const char *path, FILE *out) {
    if (load->includer != NULL)
        print_chain(load->includer, load->path, out);
    else
        fputs(load->path, out);
    fprintf(out, " -> %s", path);
}

static int fail_loop(const struct inclusion *inclusion, const char *path) {
    const struct load *load = inclusion->load;
    char chain[CONFIG_ERROR_SIZE - 64] = "";
    FILE *out = fmemopen(chain, sizeof chain, "w");
    if (out != NULL) {
        print_chain(load, path, out);
        fclose(out);
    }
    chain[sizeof chain - 1] = '\0';
    return config_fail(location_of(load, inclusion->line), load->error, load->error_size,
                       "include: these files include each other: %s", chain);
}

static int include_file(void *context, const char *path) {
    const struct inclusion *inclusion = context;
    const struct load *load = inclusion->load;
    struct stat status;
    if (load->depth == CONFIG_INCLUDE_DEPTH)
        return config_fail(location_of(load, inclusion->line), load->error, load->error_size,
                           "include: files include each other more than %d deep", CONFIG_INCLUDE_DEPTH);
    if (stat(path, &status) == 0)
        for (const struct load *above = load; above != NULL; above = above->includer)
            if (above->device == status.st_dev && above->inode == status.st_ino)
                return fail_loop(inclusion, path);
    return read_file(load->config, path, load, load->error, load->error_size);
}

/* Handles a key before the first section. */
static int on_head(void *context, const char *key, const char *value, unsigned line) {
    static const char *const keys[] = {"include", NULL};
    struct load *load = context;
    struct inclusion inclusion = {load, line};
    char why[CONFIG_ERROR_SIZE], quoted[VALUE_QUOTED_SIZE];
    if (strcmp(key, "include") == 0)
        return config_include(value, location_of(load, line), include_file, &inclusion, load->error,
                              load->error_size);
    value_quote(key, quoted);
    if (value_nearest(key, keys) != NULL)
        snprintf(why, sizeof why, "unknown key %s; did you mean include?", quoted);
    else
        snprintf(why, sizeof why, "%s stands before the first [section]; only include may stand there", quoted);
    return fail_at(load, line, why);
}

static int read_file(struct config *config, const char *path, const struct load *includer, char *error,
                     size_t error_size) {
    static const struct ini_reader reader = {on_head, on_section, on_value, on_failure};
    const char *kept = config_keep(config, path);
    if (kept == NULL)
        return config_fail((struct config_location){.source = path}, error, error_size, "out of memory");
    struct load load = {.config = config,
                        .path = kept,
                        .error = error,
                        .error_size = error_size,
                        .includer = includer,
                        .depth = includer != NULL ? includer->depth + 1 : 0};
    struct stat status;
    if (stat(path, &status) == 0) {
        load.device = status.st_dev;
        load.inode = status.st_ino;
    }
    return ini_file_read(kept, &reader, &load, error, error_size);
}

int config_read_file(struct config *config, const char *path, char *error, size_t error_size) {
    char *copy = config_absolute_path((struct config_location){.source = NULL}, path);
    if (copy == NULL)
        return config_fail((struct config_location){.source = path}, error, error_size, "out of memory");
    free(config->path);
    config->path = copy;
    return read_file(config, path, NULL, error, error_size);
}

int config_load(struct config *config, const char *path, char *error, size_t error_size) {
    size_t rules = config->channel_rule_count, routes = config->route_count;
    if (config_read_file(config, path, error, error_size) == 0 &&
        config_check_routes(config, routes, error, error_size) == 0)
        return 0;
    config_drop_sections(config, rules, routes);
    return -1;
}
