/* pipe_private.h - a pipe's inside, for pipe.c, which receives, and pipe_send.c, which sends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_PIPE_PRIVATE_H
#define WEIR_CONNECT_PIPE_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/connect/session.h"

#define PIPE_NEVER UINT64_MAX

struct pipe {
    struct session *session;
    int wake;                   /* an eventfd: the sender looks at what follows */
    atomic_bool over;           /* the connection */
    atomic_bool muted;          /* nobody reads our output any more, or it cannot be written */
    atomic_bool failed;         /* and that has been said */
    uint64_t sent;              /* messages; the sender's */
    _Atomic uint64_t received;  /* messages, since the first one was sent */
    _Atomic uint64_t awaited;   /* so many of them end the sender's wait; PIPE_NEVER: it does not wait yet */
    _Atomic uint64_t last_sign; /* ns: when something came; PIPE_NEVER while it is printed */
    int signals;                /* to poll; the sender's */
    bool closing;               /* our Close is on its way; the sender's */
    bool to_terminal;           /* what is printed must not move a cursor */
};

/* The second thread, whose context is the pipe: sends, closes, and sees to it that there is an end. */
void *pipe_send_all(void *context);

#endif
