/* router.c - patterns in order of specificity, so that the first one that matches is the right one. A look-up
 * walks an array and compares segments, and allocates nothing. That is the fastest way for the tens of routes that
 * servers have; thousands would need a tree.
 *
 * A path is split once: its segments are decoded into the caller's storage, each terminated. Two patterns of the
 * same shape match the same paths, which is an error. If two of different shapes match a path, they first differ in
 * the kind of a segment, so the order of kinds decides.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/router_pattern.h"

struct router {
    struct pattern **patterns; /* sorted by pattern_compare() */
    size_t count;
};

struct router *router_create(void) {
    return calloc(1, sizeof(struct router));
}

void router_destroy(struct router *router) {
    if (router == NULL)
        return;
    for (size_t i = 0; i < router->count; i++)
        free(router->patterns[i]);
    free(router->patterns);
    free(router);
}

/* --- Building -------------------------------------------------------------------------------------------- */

/* Inserts a pattern in its place. On failure returns the reason, and stores the pattern that matches the same
 * paths, if there is one. */
static const char *router_insert(struct router *router, struct pattern *pattern, const struct pattern **same) {
    size_t place = 0;
    for (; place < router->count; place++) {
        int order = pattern_compare(router->patterns[place], pattern);
        if (order == 0) {
            *same = router->patterns[place];
            return "matches the same paths as";
        }
        if (order > 0)
            break;
    }
    struct pattern **patterns = realloc(router->patterns, (router->count + 1) * sizeof(*patterns));
    if (patterns == NULL)
        return "out of memory";
    memmove(patterns + place + 1, patterns + place, (router->count - place) * sizeof(*patterns));
    patterns[place] = pattern;
    router->patterns = patterns;
    router->count++;
    return NULL;
}

int router_add(struct router *router, const char *text, size_t route, char *error, size_t error_size) {
    const char *why = NULL;
    const struct pattern *same = NULL;
    struct pattern *pattern = pattern_create(text, route, &why);
    if (pattern != NULL)
        why = router_insert(router, pattern, &same);
    if (why == NULL)
        return 0;
    free(pattern);
    if (same != NULL)
        snprintf(error, error_size, "pattern \"%s\" %s \"%s\"", text, why, same->written);
    else
        snprintf(error, error_size, "pattern \"%s\": %s", text, why);
    return -1;
}

/* --- Looking up ------------------------------------------------------------------------------------------ */

/* `path` holds the decoded segments, each with its terminator, up to `end`. */
static bool router_matches(const struct pattern *pattern, const char *path, const char *end) {
    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (path == end)
            return false;
        if (segment->kind == SEGMENT_REST)
            return true;
        size_t size = strlen(path);
        if (segment->kind == SEGMENT_PARAMETER && size == 0)
            return false;
        if (segment->kind == SEGMENT_LITERAL && (size != segment->size || memcmp(path, segment->text, size) != 0))
            return false;
        path += size + 1;
    }
    return path == end;
}

/* Fills in the match for a path that the pattern matches. Joins the segments of the rest again. */
static void router_bind(const struct pattern *pattern, char *path, const char *end, struct router_match *match) {
    match->route = pattern->route;
    match->param_count = 0;
    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        char *next = path + strlen(path) + 1;
        if (segment->kind == SEGMENT_REST)
            for (; next < end; next += strlen(next) + 1)
                next[-1] = '/';
        if (segment->kind != SEGMENT_LITERAL) {
            match->params[match->param_count].name = segment->text;
            match->params[match->param_count].value = path;
            match->param_count++;
        }
        path = next;
    }
}

enum router_result router_find(const struct router *router, const char *path, char *storage,
                               struct router_match *match) {
    size_t size;
    if (path[0] != '/' || !path_decode(path + 1, '\0', storage, &size))
        return ROUTER_MALFORMED;
    const char *end = storage + size + 1;
    for (size_t i = 0; i < router->count; i++)
        if (router_matches(router->patterns[i], storage, end)) {
            router_bind(router->patterns[i], storage, end, match);
            return ROUTER_FOUND;
        }
    return ROUTER_NONE;
}

/* Decoding never makes a path longer, and a terminator takes the place of a slash. */
size_t router_storage_size(const char *path) {
    return strlen(path) + 1;
}

int router_decode_path(const char *path, char *decoded) {
    size_t size;
    return path[0] == '/' && path_decode(path, '/', decoded, &size) ? 0 : -1;
}
