/* slash.h - parses a typed line: a message, or a command if it begins with a slash. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SLASH_H
#define WEIR_CONNECT_SLASH_H

#include <stddef.h>

enum slash_kind {
    SLASH_MESSAGE, /* no command: `data` is the message; "//text" is the message "/text" */
    SLASH_BINARY,  /* /binary 00ff: `data` is the bytes */
    SLASH_PING,    /* /ping [text]: `data` is the payload */
    SLASH_CLOSE,   /* /close [code [reason]]: `code`, 1000 by default; `data` is the reason, terminated */
    SLASH_HELP,    /* /help */
    SLASH_WRONG    /* not a valid command: `wrong` says why */
};

struct slash {
    enum slash_kind kind;
    const char *data; /* `size` bytes, in the line */
    size_t size;
    unsigned code;
    char wrong[160]; /* one line */
};

/* Parses `line` in place: `size` bytes, followed by a terminator, without a newline. */
void slash_parse(char *line, size_t size, struct slash *slash);

extern const char slash_help[]; /* lines that explain the commands */

#endif
