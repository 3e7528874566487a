/* signals.h - leaves signals to the program that embeds a server, as if there were no server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SIGNALS_H
#define WEIR_SERVER_SIGNALS_H

#include <signal.h>

/* Blocks signals in the calling thread, and so in the threads that it starts from now on. Signals are for the
 * program's threads, and would make a handler's blocking call return with EINTR. Faults stay unblocked. Stores the
 * previous mask in *before. */
void signals_block(sigset_t *before);

/* Call these before and after the HTTP library starts, which makes the whole process ignore SIGPIPE. They restore
 * the program's action; the library's threads do not need it ignored, because they block SIGPIPE. Several servers
 * may start at the same time. */
void signals_guard_pipe(void);
void signals_restore_pipe(void);

#endif
