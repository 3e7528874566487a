/* router.h - from a request's path to a route: patterns, parameters, percent-decoding. Immutable once built, so
 * any thread may look up.
 *
 * A pattern is a sequence of /segments. A segment is literal text (percent-encoded where it must be; empty only as
 * the last one, so "/" is a pattern and "/chat/" is another than "/chat"), `{name}` (one whole segment, not empty),
 * or, as the last one, `*` (the rest of the path, one segment or more, or nothing after the slash). The most
 * specific pattern wins whatever the order of definition: segment by segment from the left, literal before {name}
 * before *.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ROUTER_H
#define WEIR_CORE_ROUTER_H

#include <stddef.h>

struct router;

enum { ROUTER_PARAMS_MAX = 16 };

/* What a path matched. Parameter names belong to the router; values lie in `storage`, decoded and terminated. */
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
    ROUTER_MALFORMED /* the path is not absolute, a % is not followed by two hex digits, a %00, or bytes that
                      * are not UTF-8 once decoded */
};

struct router *router_create(void);
void router_destroy(struct router *router);

/* Adds a pattern with the caller's number. Returns 0; or -1 with one line in `error` (malformed, a name
 * twice, more than ROUTER_PARAMS_MAX parameters, or a tie: another pattern that matches the same paths, which is
 * named). */
int router_add(struct router *router, const char *pattern, size_t route, char *error, size_t error_size);

/* Looks up a raw path: as in the request line, percent-encoded, without its query. Segments are split before they
 * are decoded, so that %2F is a character of a segment and no separator. `storage` needs router_storage_size(path)
 * bytes. */
enum router_result router_find(const struct router *router, const char *path, char *storage,
                               struct router_match *match);
size_t router_storage_size(const char *path);

/* Decodes a whole raw path for people to read, %2F too. `decoded` needs strlen(path) + 1 bytes. Returns -1 where
 * router_find() would say ROUTER_MALFORMED. */
int router_decode_path(const char *path, char *decoded);

#endif
