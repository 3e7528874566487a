/* signals.h - delivers signals as bytes that can be polled for. Process-wide; call signals_catch() once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SIGNALS_H
#define WEIR_CONNECT_SIGNALS_H

#include <stdbool.h>

/* From now on reports SIGINT, SIGTERM, SIGHUP and SIGQUIT, each once: a second one has its default effect and
 * ends the process. With `terminal`, also reports SIGWINCH and SIGTSTP, each time. Ignored signals stay ignored.
 * Returns a descriptor that is readable when there is a signal; -1 with errno set. */
int signals_catch(bool terminal);

struct termios;

/* Sets the terminal modes to restore before a second signal ends the process; NULL restores none. */
void signals_restore(const struct termios *modes);

/* Returns the next signal; 0 if there is none. */
int signals_next(void);

#endif
