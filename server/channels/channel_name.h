/* channel_name.h - valid channel names, the patterns that match channels, and the templates that make a name from
 * a path's parameters. Pure functions on text: any thread.
 *
 * A name has 1 to 255 bytes: letters, digits and the characters _-.:@/+~, none of which needs escaping in JSON,
 * ini files or logs. A pattern is a name, or a prefix of names (which may be empty) followed by a final `*`. All
 * patterns that match one name are prefixes of it, so the longest is the most specific.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_CHANNEL_NAME_H
#define WEIR_CHANNELS_CHANNEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { CHANNEL_NAME_MAX = 255 }; /* bytes; also of a pattern */

bool channel_name_valid(const char *name, size_t size);

/* Returns NULL if the text is a pattern. Otherwise returns a constant phrase that continues `"a b" `: what is
 * wrong, and what to write. */
const char *channel_pattern_error(const char *pattern);

/* The pattern and the name must be valid. */
bool channel_pattern_matches(const char *pattern, const char *name);

/* Whether `a` is the more specific of two patterns that match the same name: the name itself first, then the
 * longer prefix. Sorted in this order, the first pattern that matches is the right one. */
bool channel_pattern_precedes(const char *a, const char *b);

/* --- Templates: `room:{name}` --- */

/* Returns what channel_pattern_error() returns, for a template. It cannot check whether the parameters exist, nor
 * how long the name becomes. */
const char *channel_template_error(const char *template);

struct channel_template_part {
    const char *text; /* in the template */
    size_t size;
    bool parameter; /* whether this is a parameter: then `text` is its name, "*" for the rest of the path;
                       otherwise literal text */
};

/* Takes the next part from a valid template and moves the pointer past it. Returns false at the end. */
bool channel_template_next(const char **template, struct channel_template_part *part);

#endif
