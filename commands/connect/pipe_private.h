/* pipe_private.h - the internals of a pipe, for pipe.c, which receives, and pipe_send.c, which sends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_PIPE_PRIVATE_H
#define WEIR_CONNECT_PIPE_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "commands/connect/session.h"

#define PIPE_NEVER UINT64_MAX

struct pipe {
    struct session *session;
    int wake;                   /* an eventfd: makes the sender check the members below */
    atomic_bool over;           /* the connection is over */
    atomic_bool muted;          /* the output is no longer read, or cannot be written */
    atomic_bool failed;         /* an error has been printed */
    uint64_t sent;              /* messages sent; the sender's */
    _Atomic uint64_t received;  /* messages received since the first one was sent */
    _Atomic uint64_t awaited;   /* messages that end the sender's wait; PIPE_NEVER: it does not wait yet */
    _Atomic uint64_t last_sign; /* ns: when a message last arrived; PIPE_NEVER while it is printed */
    int signals;                /* descriptor to poll for signals; the sender's */
    bool closing;               /* our Close is queued or sent; the sender's */
    bool to_terminal;           /* output goes to a terminal, so it must not move the cursor */
};

/* The second thread, which gets the pipe as its context: sends, closes, and ensures that the connection ends. */
void *pipe_send_all(void *context);

#endif
