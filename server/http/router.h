/* router.h - finds the route for a request's path: patterns, parameters, percent-decoding. Immutable once built,
 * so any thread may look up.
 *
 * A pattern is a sequence of /segments. A segment is one of: literal text, percent-encoded where necessary;
 * `{name}`, which is one whole segment that is not empty; or, as the last one, `*`, which is the rest of the path:
 * one segment or more, or nothing after the slash. A literal may be empty only as the last segment: "/" is a
 * pattern, and "/chat/" differs from "/chat". The most specific pattern wins, whatever the order of definition:
 * segment by segment from the left, literal before {name} before *.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ROUTER_H
#define WEIR_HTTP_ROUTER_H

#include <stddef.h>

struct router;

enum { ROUTER_PARAMS_MAX = 16 };

/* The result of a look-up. Parameter names belong to the router; values lie in `storage`, decoded and
 * terminated. */
struct router_match {
    size_t route; /* the number that router_add() was given */
    size_t param_count;
    struct {
        const char *name;
        const char *value;
    } params[ROUTER_PARAMS_MAX];
};

enum router_result {
    ROUTER_FOUND,
    ROUTER_NONE,     /* no pattern matches */
    ROUTER_MALFORMED /* the path is not absolute; a % is not followed by two hex digits; it contains %00; or it is
                        not UTF-8 once decoded */
};

struct router *router_create(void);
void router_destroy(struct router *router);

/* Adds a pattern with the caller's number. Returns 0, or -1 with one line in `error`: the pattern is malformed, has
 * a name twice or more than ROUTER_PARAMS_MAX parameters, or matches the same paths as an existing route, which the
 * error names; or memory is out. */
int router_add(struct router *router, const char *pattern, size_t route, char *error, size_t error_size);

/* Looks up a raw path: as in the request line, percent-encoded, without its query. Segments are split before they
 * are decoded, so %2F is a character of a segment and not a separator. `storage` needs router_storage_size(path)
 * bytes. */
enum router_result router_find(const struct router *router, const char *path, char *storage,
                               struct router_match *match);
size_t router_storage_size(const char *path);

/* Decodes a whole raw path for people to read, including %2F. `decoded` needs strlen(path) + 1 bytes. Returns -1
 * where router_find() would return ROUTER_MALFORMED. */
int router_decode_path(const char *path, char *decoded);

#endif
