/* fuzz_router.c - route patterns, then a path looked up among them, in both orders of definition.
 *
 * The input: a line for each pattern, at most 64; the last line is the path.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>

#include "base/utf8.h"
#include "server/http/router.h"
#include "tests/fuzz/fuzz.h"

enum { PATTERNS_MAX = 64, ERROR_SIZE = 160 };

struct lookup {
    enum router_result result;
    struct router_match match;
    char *storage;
    size_t storage_size;
};

/* --- Building -------------------------------------------------------------------------------------------- */

static void add(struct router *router, const char *pattern, size_t route) {
    char *error = fuzz_allocate(ERROR_SIZE);
    error[0] = '\0';
    int result = router_add(router, pattern, route, error, ERROR_SIZE);
    FUZZ_REQUIRE(result == 0 || result == -1);
    FUZZ_REQUIRE((error[0] == '\0') == (result == 0));
    FUZZ_REQUIRE(strnlen(error, ERROR_SIZE) < ERROR_SIZE && strchr(error, '\n') == NULL);
    /* Once it is in, it ties with itself. */
    if (result == 0)
        FUZZ_REQUIRE(router_add(router, pattern, route + 1, error, ERROR_SIZE) == -1);
    free(error);
}

static struct router *build(char *const *patterns, size_t count, bool reversed) {
    struct router *router = router_create();
    FUZZ_REQUIRE(router != NULL);
    for (size_t i = 0; i < count; i++) {
        size_t route = reversed ? count - 1 - i : i;
        add(router, patterns[route], route);
    }
    return router;
}

/* --- Looking up ------------------------------------------------------------------------------------------ */

static void check_value(const struct lookup *lookup, const char *value) {
    FUZZ_REQUIRE(value >= lookup->storage && value < lookup->storage + lookup->storage_size);
    size_t room = (size_t)(lookup->storage + lookup->storage_size - value), size = strnlen(value, room);
    FUZZ_REQUIRE(size < room);
    FUZZ_REQUIRE(utf8_valid((const uint8_t *)value, size));
}

static void check_match(const struct lookup *lookup, char *const *patterns, size_t count) {
    const struct router_match *match = &lookup->match;
    FUZZ_REQUIRE(match->route < count);
    FUZZ_REQUIRE(match->param_count <= ROUTER_PARAMS_MAX);
    for (size_t i = 0; i < match->param_count; i++) {
        const char *name = match->params[i].name;
        FUZZ_REQUIRE(name[0] != '\0' && strstr(patterns[match->route], name) != NULL);
        FUZZ_REQUIRE(strcmp(name, "*") == 0 || match->params[i].value[0] != '\0');
        check_value(lookup, match->params[i].value);
    }
}

static struct lookup look_up(const struct router *router, const char *path) {
    struct lookup lookup = {.storage_size = router_storage_size(path)};
    lookup.storage = fuzz_allocate(lookup.storage_size);
    lookup.result = router_find(router, path, lookup.storage, &lookup.match);
    return lookup;
}

/* Of two patterns that tie, the first one is in; the other one would have told the same but for its names. */
static void compare(const struct lookup *a, const struct lookup *b) {
    FUZZ_REQUIRE(a->result == b->result);
    if (a->result != ROUTER_FOUND)
        return;
    FUZZ_REQUIRE(a->match.param_count == b->match.param_count);
    for (size_t i = 0; i < a->match.param_count; i++)
        FUZZ_REQUIRE(strcmp(a->match.params[i].value, b->match.params[i].value) == 0);
}

static void check_path(const char *path, enum router_result result) {
    size_t size = strlen(path);
    char *decoded = fuzz_allocate(size + 1);
    bool malformed = router_decode_path(path, decoded) != 0;
    FUZZ_REQUIRE(malformed == (result == ROUTER_MALFORMED));
    FUZZ_REQUIRE(malformed || (path[0] == '/' && strstr(path, "%00") == NULL));
    if (!malformed) {
        FUZZ_REQUIRE(strnlen(decoded, size + 1) <= size);
        FUZZ_REQUIRE(utf8_valid((const uint8_t *)decoded, strlen(decoded)));
    }
    free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    char *text = fuzz_text(input, size), *rest = text, *lines[PATTERNS_MAX + 1];
    size_t count = 0;
    while (count < PATTERNS_MAX && (lines[count] = fuzz_next_line(&rest)) != NULL)
        count++;
    const char *path = lines[--count];
    struct router *forward = build(lines, count, false), *backward = build(lines, count, true);
    struct lookup first = look_up(forward, path), second = look_up(backward, path);

    check_path(path, first.result);
    compare(&first, &second);
    if (first.result == ROUTER_FOUND) {
        check_match(&first, lines, count);
        check_match(&second, lines, count);
    }
    free(first.storage);
    free(second.storage);
    router_destroy(forward);
    router_destroy(backward);
    free(text);
    return 0;
}
