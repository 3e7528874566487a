/* router_pattern.h - one pattern of the router, parsed and checked, and the percent-decoding that patterns and
 * paths share. For router.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_ROUTER_PATTERN_H
#define WEIR_HTTP_ROUTER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* In order of specificity, the most specific first. */
enum segment_kind { SEGMENT_LITERAL, SEGMENT_PARAMETER, SEGMENT_REST };

struct segment {
    enum segment_kind kind;
    const char *text; /* the decoded literal, the parameter's name, or "*" */
    size_t size;      /* of text */
};

/* One allocation: free() frees all of it. */
struct pattern {
    size_t route;
    const char *written; /* as passed to router_add() */
    size_t segment_count;
    struct segment segments[];
};

/* Returns NULL, with the reason in *why, if the text is not a valid pattern or memory is exhausted. */
struct pattern *pattern_create(const char *text, size_t route, const char **why);

/* Returns less than 0 if `a` must be tried before `b`, and 0 if they match the same paths. */
int pattern_compare(const struct pattern *a, const struct pattern *b);

/* Percent-decodes `raw` into `decoded`, which needs strlen(raw) + 1 bytes and may be `raw` itself. Writes
 * `separator` for each slash that is not encoded. Stores the size without the terminator. Returns false if a % is
 * not followed by two hex digits, at %00, or if the result is not UTF-8. */
bool path_decode(const char *raw, char separator, char *decoded, size_t *size);

#endif
