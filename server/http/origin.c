/* origin.c - see origin.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/origin.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The length of the host in "host", "host:8080" or "[::1]:8080". */
static size_t origin_host_size(const char *authority) {
    if (*authority == '[') {
        const char *end = strchr(authority, ']');
        return end == NULL ? strlen(authority) : (size_t)(end - authority) + 1;
    }
    return strcspn(authority, ":/");
}

/* Ports and schemes do not count: pages of one host belong to the same people. */
static bool origin_is_same_host(const char *origin, const char *host) {
    const char *authority = strstr(origin, "://");
    if (authority == NULL || host == NULL)
        return false;
    authority += 3;
    size_t size = origin_host_size(authority);
    return size > 0 && size == origin_host_size(host) && strncasecmp(authority, host, size) == 0;
}

static bool origin_same_character(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* A star stands for any characters but a slash. On a mismatch the last star takes one character more, so the time
 * is bounded by the product of the lengths. */
static bool origin_matches(const char *pattern, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (origin_same_character(*pattern, *text)) {
            pattern++;
            text++;
        } else if (star != NULL && *retry != '/') {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* A value in quotes is compared as it is. */
static bool origin_is_exactly(const char *quoted, const char *origin) {
    size_t size = strlen(origin);
    return strncmp(quoted + 1, origin, size) == 0 && strcmp(quoted + 1 + size, "\"") == 0;
}

static bool origin_allows(const char *allowed, const char *origin, const char *host) {
    if (strcmp(allowed, "*") == 0)
        return true;
    if (strcmp(allowed, "same-host") == 0)
        return origin_is_same_host(origin, host);
    return *allowed == '"' ? origin_is_exactly(allowed, origin) : origin_matches(allowed, origin);
}

bool origin_is_allowed(char *const *allowed, const char *origin, const char *host) {
    if (origin == NULL)
        return true;
    for (; *allowed != NULL; allowed++)
        if (origin_allows(*allowed, origin, host))
            return true;
    return false;
}
