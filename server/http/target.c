/* target.c - see target.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static int target_refuse(int status, const char *reason, const char **why) {
    *why = reason;
    return status;
}

/* Whether this is visible ASCII without a fragment, which clients keep to themselves. */
static bool target_is_visible(const char *text) {
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || *text == '#')
            return false;
    return true;
}

/* Returns where the authority begins in a URI of HTTP or WebSocket; NULL if it is not one. */
static char *target_find_authority(char *text) {
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return text + strlen(schemes[i]);
    return NULL;
}

/* Whether this is an authority. It may not name a user, which has no place in such a URI (RFC 9110, 4.2.4). */
static bool target_is_authority(const char *text, size_t size) {
    static const char characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:[]";
    return size > 0 && *text != ':' && strspn(text, characters) >= size;
}

/* Moves the authority over the slash before it, to make room for its terminator. Returns what follows it. */
static char *target_cut_authority(char *authority, size_t size, struct target *target) {
    memmove(authority - 1, authority, size);
    authority[size - 1] = '\0';
    target->authority = authority - 1;
    return authority + size;
}

static void target_cut_query(char *path, struct target *target) {
    char *mark = strchr(path, '?');
    target->path = *path == '\0' || mark == path ? "/" : path; /* a URI may end with its authority */
    target->query = mark == NULL ? "" : mark + 1;
    if (mark != NULL)
        *mark = '\0';
}

int target_parse(char *text, struct target *target, const char **why) {
    *target = (struct target){.path = "", .query = ""};
    if (strlen(text) > TARGET_MAX)
        return target_refuse(414, "the request target is longer than 8000 bytes", why);
    if (!target_is_visible(text))
        return target_refuse(400, "the request target has a character that must be percent-encoded", why);
    char *authority = target_find_authority(text), *path = text;
    if (authority != NULL) {
        size_t size = strcspn(authority, "/?");
        if (!target_is_authority(authority, size))
            return target_refuse(400, "the request target is a URI without a proper host", why);
        path = target_cut_authority(authority, size, target);
    } else if (*text != '/' && strcmp(text, "*") != 0) {
        return target_refuse(400, "the request target is neither a path nor a URI of HTTP", why);
    }
    target_cut_query(path, target);
    if (strlen(target->path) > TARGET_PATH_MAX)
        return target_refuse(414, "the path is longer than 4096 bytes", why);
    return 0;
}
