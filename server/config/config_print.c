/* config_print.c - prints the configuration in force with the sources of its values, and the list of all options.
 * Both follow the option table, so neither can miss an option.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/options.h"

/* Prints "conf/weir.ini:14". A name may contain bytes that are not allowed in an ini file; they become '?'. */
static void print_location(struct config_location location, FILE *out) {
    for (const char *at = location.source; *at != '\0'; at++)
        fputc(*at >= ' ' && *at <= '~' ? *at : '?', out);
    if (location.line > 0)
        fprintf(out, ":%u", location.line);
}

static void print_origin(struct config_location location, const char *note, FILE *out) {
    if (location.source == NULL)
        return;
    fputs("# from ", out);
    print_location(location, out);
    fprintf(out, "%s\n", note);
}

static void print_secret(const char *name, struct config_location location, FILE *out) {
    fprintf(out, "# %s is set, not shown; from ", name);
    print_location(location, out);
    fputc('\n', out);
}

/* Prints an option. An option that has no effect is left out unless it has been set. */
static void print_option(const struct config *config, const struct option *option, const void *base,
                         struct config_location location, FILE *out) {
    const char *const *secret = (const void *)((const char *)base + option->offset);
    bool applies = option->applies == NULL || option->applies(config, base);
    if (!applies && location.source == NULL)
        return;
    if (option->type == OPTION_SECRET && *secret != NULL) {
        print_secret(option->name, location, out);
        return;
    }
    print_origin(location, applies ? "" : ", without effect here", out);
    fprintf(out, "%s = ", option->name);
    option_print(option, base, out);
    fputc('\n', out);
}

static void print_section(const struct config *config, const char *section, const void *base,
                          const struct config_location *locations, FILE *out) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, section) == 0)
            print_option(config, option, base, locations[option - options], out);
}

static void print_extras(const struct config_route *route, FILE *out) {
    for (size_t i = 0; i < route->extra_count; i++) {
        const struct config_extra *extra = &route->extras[i];
        if (extra->secret) {
            print_secret(extra->name, extra->location, out);
            continue;
        }
        print_origin(extra->location, "", out);
        fprintf(out, "%s = %s\n", extra->name, extra->value);
    }
}

static void print_route(const struct config *config, const struct config_route *route, FILE *out) {
    struct config_route shown = *route;
    shown.subprotocols = config_subprotocols(route);
    print_section(config, "route", &shown, route->locations, out);
    print_extras(route, out);
}

void config_print(const struct config *config, FILE *out) {
    const char *between = "";
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (option_section_is_plain(*section)) {
            fprintf(out, "%s[%s]\n", between, *section);
            print_section(config, *section, config, config->locations, out);
            between = "\n";
        }
    for (size_t i = 0; i < config_section_count(config); i++) {
        const struct config_section section = config_section_at(config, i);
        fputs("\n# variables: ", out);
        bool unique = config_print_variables(config, &section, out);
        fputs(unique ? "...\n" : "none, since another section has the same name\n", out);
        print_origin(section.location, "", out);
        fprintf(out, "[%s %s]\n", section.section, section.pattern);
        if (strcmp(section.section, "route") == 0)
            print_route(config, section.base, out);
        else
            print_section(config, section.section, section.base, section.locations, out);
    }
}

static void list_option(const struct option *option, FILE *out) {
    if (option->default_value != NULL)
        fprintf(out, "%s = %s\n", option->name, option->default_value);
    else
        fprintf(out, "%s = (must be given)\n", option->name);
    fputs("    ", out);
    option_print_type(option, out);
    fprintf(out, "\n    %s\n", option->help);
}

void config_list(FILE *out) {
    const char *section = "";
    for (const struct option *option = options; option->name != NULL; option++) {
        if (strcmp(option->section, section) != 0) {
            fprintf(out, "%s[%s]\n", *section == '\0' ? "" : "\n", option_section_title(option->section));
            section = option->section;
        }
        list_option(option, out);
    }
}
