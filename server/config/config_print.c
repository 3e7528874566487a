/* config_print.c - the configuration as text: what is in force, and what there is to be set. Both go by the option
 * table, so neither can miss an option.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "server/config/config.h"
#include "server/config/options.h"

static void print_section(const char *section, const void *base, FILE *out) {
    for (const struct option *option = options; option->name != NULL; option++)
        if (strcmp(option->section, section) == 0) {
            fprintf(out, "%s = ", option->name);
            option_print(option, base, out);
            fputc('\n', out);
        }
}

static void print_route(const struct config_route *route, FILE *out) {
    fprintf(out, "[route %s]\n", route->pattern);
    print_section("route", route, out);
    for (size_t i = 0; i < route->extra_count; i++)
        fprintf(out, "%s = %s\n", route->extras[i].name, route->extras[i].value);
}

void config_print(const struct config *config, FILE *out) {
    const char *between = "";
    for (const char *const *section = option_sections; *section != NULL; section++)
        if (strcmp(*section, "route") != 0) {
            fprintf(out, "%s[%s]\n", between, *section);
            print_section(*section, config, out);
            between = "\n";
        }
    for (size_t i = 0; i < config->route_count; i++) {
        fputc('\n', out);
        print_route(&config->routes[i], out);
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
