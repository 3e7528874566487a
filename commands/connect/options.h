/* options.h - the command line of `weir connect`, parsed and checked.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_OPTIONS_H
#define WEIR_CONNECT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts owned elsewhere, followed by a NULL. */
struct list {
    const char **items; /* NULL: empty */
    size_t count;
};

struct options {
    const char *url;
    struct list headers;      /* "Name: value" */
    struct list subprotocols; /* the preferred one first */
    struct list messages;     /* -x: messages to send instead of reading them */
    char *authorization;      /* the Authorization header for --auth, in the heap; NULL without --auth */
    const char *origin;       /* NULL: none */
    const char *source;       /* NULL: the system chooses */
    bool wait_for_answers;    /* close after as many messages as were sent */
    uint64_t wait_ms;         /* otherwise: time from the last message sent to the Close */
    uint64_t ping_ms;         /* interval between pings; 0: none */
    uint64_t timeout_ms;      /* for connecting */
    size_t max_size;          /* of a received message */
    bool binary;              /* messages are written in hexadecimal digits */
    bool slash;               /* accept slash commands in a pipe too */
    bool compress;
};

/* Parses the command line. Returns -1 to continue, or the exit status after printing the error on stderr or the
 * help on stdout. The options point into argv, which is changed. Call options_release() in any case. */
int options_parse(struct options *options, int argc, char **argv);
void options_release(struct options *options);

#endif
