/* options.h - the command line of `weir connect`, parsed and checked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_OPTIONS_H
#define WEIR_CONNECT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts that belong to somebody else, followed by a NULL. */
struct list {
    const char **items; /* NULL: empty */
    size_t count;
};

struct options {
    const char *url;
    struct list headers;      /* "Name: value" */
    struct list subprotocols; /* the preferred one first */
    struct list messages;     /* -x: what is sent instead of what would be read */
    char *authorization;      /* the header of --auth, in the heap; NULL without */
    const char *origin;       /* NULL: none */
    const char *source;       /* NULL: the system chooses */
    bool wait_for_answers;    /* then close: as many as messages were sent */
    uint64_t wait_ms;         /* else: from the last message sent to the Close */
    uint64_t ping_ms;         /* between two pings; 0: none */
    uint64_t timeout_ms;      /* for connecting */
    size_t max_size;          /* of a message received */
    bool binary;              /* messages are written in hexadecimal digits */
    bool slash;               /* slash commands on a pipe too */
    bool compress;
};

/* Returns -1 to go on, or the exit status after it has said why on stderr (the help goes to stdout). The options
 * point into argv, which is changed. To be released in any case. */
int options_parse(struct options *options, int argc, char **argv);
void options_release(struct options *options);

#endif
