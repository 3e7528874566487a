/* target.h - the request-target (RFC 9112, 3.2): a path, a whole URI, or an asterisk. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_TARGET_H
#define WEIR_HTTP_TARGET_H

struct target {
    const char *path;      /* raw, without the query; "*" for the asterisk */
    const char *query;     /* raw, without '?'; "" if there is none */
    const char *authority; /* "host" or "host:port" of a whole URI; NULL: the target was not a URI */
};

enum { TARGET_MAX = 8000, TARGET_PATH_MAX = 4096 }; /* bytes; RFC 9112, 3 asks for 8000 */

/* Takes `text` apart in place. Returns 0; or the status of the refusal (400, 414), with the reason, a constant, in
 * *why. */
int target_parse(char *text, struct target *target, const char **why);

#endif
