/* signals.h - the signals of the program that a server is part of: it gets them as if there were no server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SIGNALS_H
#define WEIR_SERVER_SIGNALS_H

#include <signal.h>

/* Blocks signals for the threads that are started from here on: they are for the threads of the program, and a
 * handler's blocking call would return with EINTR. Faults stay unblocked. */
void signals_block(sigset_t *before);

/* Around the start of the HTTP library, which has SIGPIPE ignored in the whole process. Its threads do not need
 * that, since SIGPIPE is blocked in them. Several servers may start at once. */
void signals_guard_pipe(void);
void signals_restore_pipe(void);

#endif
