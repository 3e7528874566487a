/* route_options.c - weir_server_route(): a route of the program, whose options become lines of its section.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/server_private.h"
#include "server/sized.h"

enum { LINES_MAX = 6 };

/* The keys and values of one route section. */
struct lines {
    const char *keys[LINES_MAX];
    char *values[LINES_MAX];
    unsigned count;
    bool failed; /* memory is out */
};

static void lines_add(struct lines *lines, const char *key, char *value) {
    lines->keys[lines->count] = key;
    lines->values[lines->count++] = value;
    lines->failed = lines->failed || value == NULL;
}

static void lines_add_text(struct lines *lines, const char *key, const char *value) {
    lines_add(lines, key, strdup(value));
}

/* Joins the items as a list of the ini file. */
static void lines_add_list(struct lines *lines, const char *key, const char *const *items) {
    size_t size = 1;
    for (size_t i = 0; items[i] != NULL; i++)
        size += strlen(items[i]) + strlen(", ");
    char *list = malloc(size), *end = list;
    for (size_t i = 0; list != NULL && items[i] != NULL; i++)
        end = stpcpy(stpcpy(end, i == 0 ? "" : ", "), items[i]);
    if (list != NULL)
        *end = '\0';
    lines_add(lines, key, list);
}

static void lines_add_number(struct lines *lines, const char *key, unsigned number) {
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    lines_add_text(lines, key, text);
}

/* Returns the word of the ini file; a number that is not in the enum becomes a word that is not valid. */
static const char *word_of(unsigned choice, const char *const *words, unsigned count) {
    return choice < count ? words[choice] : "unknown";
}

static void lines_fill(struct lines *lines, const struct weir_route_options *options) {
    static const char *const compressions[] = {"inherit", "off", "on", "takeover"};
    static const char *const slow_consumers[] = {"inherit", "disconnect", "drop-oldest", "drop-newest"};
    if (options->origins != NULL)
        lines_add_list(lines, "origins", options->origins);
    if (options->subprotocols != NULL)
        lines_add_list(lines, "subprotocols", options->subprotocols);
    if (options->require_subprotocol)
        lines_add_text(lines, "require_subprotocol", "yes");
    if (options->concurrency != 0)
        lines_add_number(lines, "concurrency", options->concurrency);
    if (options->compression != WEIR_COMPRESSION_INHERIT)
        lines_add_text(lines, "compression", word_of(options->compression, compressions, 4));
    if (options->slow_consumer != WEIR_SLOW_CONSUMER_INHERIT)
        lines_add_text(lines, "slow_consumer", word_of(options->slow_consumer, slow_consumers, 4));
}

static void lines_free(struct lines *lines) {
    for (unsigned i = 0; i < lines->count; i++)
        free(lines->values[i]);
}

/* Tries the lines in a configuration of their own, so that an error changes nothing. */
static int lines_check(const struct lines *lines, const char *section, char *error, size_t error_size) {
    struct config *config = lines->failed ? NULL : config_create();
    int result = config == NULL ? -1 : 0;
    if (config == NULL)
        snprintf(error, error_size, "out of memory");
    for (unsigned i = 0; result == 0 && i < lines->count; i++)
        result = config_set(config, section, lines->keys[i], lines->values[i], error, error_size);
    config_destroy(config);
    return result;
}

static int add_with_lines(weir_server *server, const struct added_route *route, const struct lines *lines) {
    size_t size = strlen(route->pattern) + sizeof "route ";
    char *section = malloc(size);
    if (section != NULL)
        snprintf(section, size, "route %s", route->pattern);
    else
        snprintf(server->error, sizeof server->error, "out of memory");
    int result = section == NULL ? -1 : lines_check(lines, section, server->error, sizeof server->error);
    if (result == 0)
        result = routes_add(&server->routes, server->config, route, server->error, sizeof server->error);
    for (unsigned i = 0; result == 0 && i < lines->count; i++)
        result = weir_server_set(server, section, lines->keys[i], lines->values[i]);
    free(section);
    return result;
}

int weir_server_route(weir_server *server, const char *pattern, const struct weir_handler *handler, void *context,
                      const struct weir_route_options *options) {
    const struct added_route route = {(char *)(uintptr_t)pattern, handler, context};
    struct weir_route_options copy = {.size = 0};
    struct lines lines = {.count = 0};
    const char *error = handler_copy(NULL, handler);
    if (error == NULL && options != NULL)
        error = route_options_copy(&copy, options);
    if (error != NULL) {
        snprintf(server->error, sizeof server->error, "%s", error);
        return -1;
    }
    lines_fill(&lines, &copy);
    int result = add_with_lines(server, &route, &lines);
    lines_free(&lines);
    return result;
}
