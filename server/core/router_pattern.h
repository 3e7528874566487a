/* router_pattern.h - one pattern of the router, taken apart and checked, and the decoding that patterns and paths
 * share. For router.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CORE_ROUTER_PATTERN_H
#define WEIR_CORE_ROUTER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* The more specific first. */
enum segment_kind { SEGMENT_LITERAL, SEGMENT_PARAMETER, SEGMENT_REST };

struct segment {
    enum segment_kind kind;
    const char *text; /* the decoded literal, the parameter's name, "*" */
    size_t size;      /* of text */
};

/* One allocation: free() frees it. */
struct pattern {
    size_t route;
    const char *written; /* as router_add() was given it */
    size_t segment_count;
    struct segment segments[];
};

/* NULL, and why, if the text is no pattern or memory is out. */
struct pattern *pattern_create(const char *text, size_t route, const char **why);

/* Below 0 if `a` is to be tried before `b`; 0 if they match the same paths. */
int pattern_compare(const struct pattern *a, const struct pattern *b);

/* Percent-decodes `raw` into `decoded`, which needs strlen(raw) + 1 bytes and may be `raw` itself; writes
 * `separator` for each slash that is not encoded. Stores the size without the terminator. False if a % is not
 * followed by two hex digits, at %00, or if the outcome is not UTF-8. */
bool path_decode(const char *raw, char separator, char *decoded, size_t *size);

#endif
