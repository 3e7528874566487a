/* channel_name.h - what a channel may be called, which channels a pattern means, and the templates that make a name
 * from a path's parameters. Pure functions on text: any thread.
 *
 * A name has 1 to 255 letters, digits and characters of _-.:@/+~ in it, none of which needs escaping in JSON,
 * ini files or logs. A pattern is a name, or the beginning of names (or nothing) and one final `*`. Those that
 * match one name are all beginnings of it, so the longest says most about it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_PROTO_CHANNEL_NAME_H
#define WEIR_PROTO_CHANNEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { CHANNEL_NAME_MAX = 255 }; /* bytes; of a pattern too */

bool channel_name_valid(const char *name, size_t size);

/* NULL if it is a pattern, else a constant phrase that continues `"a b" `: what is wrong, and what to write. */
const char *channel_pattern_flaw(const char *pattern);

/* Both must be valid. */
bool channel_pattern_matches(const char *pattern, const char *name);

/* Whether `a` is the more specific one of two patterns that match the same name: the name itself, then the longer
 * beginning. An order of all patterns, in which the first that matches is the one. */
bool channel_pattern_precedes(const char *a, const char *b);

/* --- Templates: `room:{name}` --- */

/* As channel_pattern_flaw(). Whether there is such a parameter, and how long the name becomes, shows later. */
const char *channel_template_flaw(const char *template);

struct channel_template_part {
    const char *text; /* in the template */
    size_t size;
    bool parameter; /* its name, "*" for the rest of the path; otherwise the text itself */
};

/* Takes the next part from a template without a flaw and moves the pointer behind it; false at the end. */
bool channel_template_next(const char **template, struct channel_template_part *part);

#endif
