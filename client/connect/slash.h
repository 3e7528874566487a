/* slash.h - what a typed line asks for: a message, or with a slash in front something else. Pure functions.
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
    SLASH_CLOSE,   /* /close [code [reason]]: `code`, 1000 if there is none; `data` is the reason, terminated */
    SLASH_HELP,    /* /help */
    SLASH_WRONG    /* nothing that can be done: `wrong` says why */
};

struct slash {
    enum slash_kind kind;
    const char *data; /* `size` bytes within the line */
    size_t size;
    unsigned code;
    char wrong[160]; /* one line */
};

/* `line` has `size` bytes, a terminator after them, and no newline; it is changed in place. */
void slash_parse(char *line, size_t size, struct slash *slash);

extern const char slash_help[]; /* lines that explain the commands */

#endif
