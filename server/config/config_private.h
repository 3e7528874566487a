/* config_private.h - shared by the files that fill a configuration. A function with an `error` argument that
 * returns -1 or NULL has written one line there, with the location of the error.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_PRIVATE_H
#define WEIR_CONFIG_CONFIG_PRIVATE_H

#include "server/config/config.h"

/* One `key = value`, from any source. */
struct config_setting {
    const char *section; /* of option_sections */
    const char *key;
    const char *value;
    struct config_location location;
};

/* --- config_apply.c --- */

/* Sets the option in `base`, the struct that its section's fields lie in, and its location in `locations`. */
int config_apply(void *base, struct config_location *locations, const struct config_setting *setting, char *error,
                 size_t error_size);

/* --- config_location.c --- */

/* The source of values that config_set() sets. */
extern const char config_program[];

/* Returns a copy that lives as long as the configuration, for its locations; NULL if memory is out. */
const char *config_keep(struct config *config, const char *source);

/* Writes an error as config_fail() does, with "key: " after the location unless the source already names the key.
 */
int config_fail_at(struct config_location location, const char *key, char *error, size_t error_size,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* --- config_section.c --- */

/* A section of any kind, and where its values lie. */
struct config_section {
    const char *section; /* of option_sections */
    char *pattern;       /* NULL: it has none */
    struct config_location location;
    struct config_location *locations;
    void *base; /* struct config; or config_channel or config_route, which move when another one is added */
};

/* Splits a header like "route  /x": stores the section and returns the pattern, "" if it is missing. Returns NULL
 * if the section takes no pattern. */
const char *config_split_header(const char *header, const char **section);

/* Returns the number of sections with a pattern. */
size_t config_section_count(const struct config *config);

/* Returns one of these sections: the channel rules come first, then the routes. */
struct config_section config_section_at(const struct config *config, size_t index);

/* Finds a section with a pattern. If there is none, returns false, and *found must not be used. */
bool config_find_section(const struct config *config, const char *section, const char *pattern,
                         struct config_section *found);

/* Adds a section with its defaults; a route has no handler yet. Returns 0 or -1. */
int config_add_section(struct config *config, const char *section, const char *pattern,
                       struct config_location location, struct config_section *added, char *error,
                       size_t error_size);

/* Sets an option of a section, or for a route possibly a key for its plug-in. Returns 0 or -1. */
int config_apply_to_section(const struct config_section *section, const struct config_setting *setting, char *error,
                            size_t error_size);

/* Removes the channel rules from index `first_rule` on and the routes from index `first_route` on. */
void config_drop_sections(struct config *config, size_t first_rule, size_t first_route);

/* --- config_load.c --- */

/* Reads a file without checking its routes, which the caller does with config_check_routes(). Returns 0 or -1. */
int config_read_file(struct config *config, const char *path, char *error, size_t error_size);

/* --- config_include.c --- */

/* Calls `read` for each file that the patterns match. Returns 0 or -1. */
int config_include(const char *patterns, struct config_location location,
                   int (*read)(void *context, const char *path), void *context, char *error, size_t error_size);

/* --- config_setting.c --- */

/* Sets an option below a header like "server" or "route /x". `setting` has everything except its section. A section
 * with a pattern is added if it does not exist. Returns 0 or -1. */
int config_apply_below(struct config *config, const char *header, struct config_setting *setting, char *error,
                       size_t error_size);

/* --- config_environment.c, config_variable.c, config_setting.c, config_token.c --- */

/* Sets the options that the environment's variables name. Returns 0 or -1. */
int config_read_environment(struct config *config, char *const *environment, char *error, size_t error_size);

/* Whether the name of an environment variable begins with the name of one of the sections with a pattern. */
bool config_has_variable(const struct config *config, const char *name);

/* Sets the option that a variable like WEIR_ROUTE_LIGHT_DELAY names; location.source is the variable's name.
 * `link`: Kubernetes makes variables of this name, so it is ignored unless it names an option. Returns 0 or -1. */
int config_apply_variable(struct config *config, struct config_location location, const char *value, bool link,
                          char *error, size_t error_size);

/* Prints the prefix of the section's variables, such as "WEIR_ROUTE_LIGHT_". Returns false if another section has
 * the same prefix. */
bool config_print_variables(const struct config *config, const struct config_section *section, FILE *out);

/* Sets the option that an argument of --set names. Returns 0 or -1. */
int config_read_setting(struct config *config, const char *text, char *error, size_t error_size);

/* Sets config_admin.secret from `token`, or from the file `token_file`, which it reads. Returns 0 or -1. */
int config_read_token(struct config *config, char *error, size_t error_size);

/* --- config_route.c --- */

/* Sets an option of the route, or a key for its plug-in. Returns 0 or -1. */
int config_apply_to_route(struct config_route *route, const struct config_setting *setting, char *error,
                          size_t error_size);

/* Frees the keys for the route's plug-in. */
void config_release_extras(struct config_route *route);

/* --- config_check.c --- */

/* Checks what is known only once a route has all its keys, for routes from index `first` on. Returns 0 or -1. */
int config_check_routes(const struct config *config, size_t first, char *error, size_t error_size);

/* --- config_channel.c --- */

/* Checks a route's `channel`, whose parameters must be in the route's pattern. Returns 0 or -1. */
int config_check_channel(const struct config_route *route, char *error, size_t error_size);

#endif
