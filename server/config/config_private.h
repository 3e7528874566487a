/* config_private.h - what the files that fill a configuration share. Functions that return -1 or NULL have written
 * one line with its place to `error`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_PRIVATE_H
#define WEIR_CONFIG_CONFIG_PRIVATE_H

#include "server/config/config.h"

/* One `key = value`, from wherever. */
struct config_setting {
    const char *section; /* of option_sections */
    const char *key;
    const char *value;
    struct config_place place;
};

/* --- config.c --- */

/* Sets the option in `base`, the struct that its section's fields lie in, and its place in `places`. */
int config_apply(void *base, struct config_place *places, const struct config_setting *setting, char *error,
                 size_t error_size);

/* The sections whose options lie in struct config itself. */
bool config_is_plain_section(const char *section);

/* --- config_place.c --- */

/* As the source of what config_set() sets. */
extern const char config_program[];

/* A copy that lives as long as the configuration, for its places; NULL if memory is out. */
const char *config_keep(struct config *config, const char *source);

/* As config_fail(), with "key: " behind the place unless its source names the key already. */
int config_fail_at(struct config_place place, const char *key, char *error, size_t error_size, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));

/* --- config_section.c --- */

/* A section, wherever its values lie. */
struct config_section {
    const char *section; /* of option_sections */
    char *pattern;       /* NULL: it has none */
    struct config_place place;
    struct config_place *places;
    void *base; /* struct config_channel or config_route, which move when another is added; or struct config */
};

/* The pattern of a header like "route  /x", empty if it is missing, and the section; NULL if that has none. */
const char *config_split_header(const char *header, const char **section);

/* Those that have a pattern: the channels', then the routes. */
size_t config_section_count(const struct config *config);
struct config_section config_section_at(const struct config *config, size_t index);

/* False: there is none, and `found` is of no use. */
bool config_find_section(const struct config *config, const char *section, const char *pattern,
                         struct config_section *found);

/* With its defaults; a route has no handler yet. */
int config_add_section(struct config *config, const char *section, const char *pattern, struct config_place place,
                       struct config_section *added, char *error, size_t error_size);

/* Sets an option of it; of a route perhaps a key for its plug-in. */
int config_apply_to_section(const struct config_section *section, const struct config_setting *setting, char *error,
                            size_t error_size);

/* The rules for channels and the routes from these on. */
void config_drop_sections(struct config *config, size_t first_rule, size_t first_route);

/* --- config_load.c: reads a file, and leaves the check of its routes to be done --- */
int config_read_file(struct config *config, const char *path, char *error, size_t error_size);

/* --- config_include.c: calls `read` for each file that the patterns name --- */
int config_include(const char *patterns, struct config_place place, int (*read)(void *context, const char *path),
                   void *context, char *error, size_t error_size);

/* --- config_setting.c --- */

/* Sets an option below a header like "server" or "route /x"; `setting` has all but its section. The section is
 * added if it has a pattern and is not there. */
int config_apply_below(struct config *config, const char *header, struct config_setting *setting, char *error,
                       size_t error_size);

/* --- config_environment.c, config_setting.c, config_token.c --- */
int config_read_environment(struct config *config, char *const *environment, char *error, size_t error_size);

/* config_variable.c: sets what a variable like WEIR_ROUTE_LIGHT_DELAY, the place's source, names. `link`: unless it
 * is an option's, the variable is one that Kubernetes made. */
int config_apply_variable(struct config *config, struct config_place place, const char *value, bool link,
                          char *error, size_t error_size);

/* "WEIR_ROUTE_LIGHT_", what the variables of the section begin with. False if another section has the same name. */
bool config_print_variables(const struct config *config, const struct config_section *section, FILE *out);

int config_read_setting(struct config *config, const char *text, char *error, size_t error_size);
int config_read_token(struct config *config, char *error, size_t error_size);

/* --- config_route.c --- */

/* Sets an option of the route, or a key for its plug-in. */
int config_apply_to_route(struct config_route *route, const struct config_setting *setting, char *error,
                          size_t error_size);

/* What can be told of routes only once all their keys are known; of those from index `first` on. */
int config_check_routes(const struct config *config, size_t first, char *error, size_t error_size);

/* The keys for its plug-in. */
void config_release_extras(struct config_route *route);

/* --- config_channel.c: a route's `channel`, of which its pattern may have the parameters --- */
int config_check_channel(const struct config_route *route, char *error, size_t error_size);

#endif
