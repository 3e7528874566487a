/* signals.h - signals as bytes to poll for. For the whole process; catch them once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SIGNALS_H
#define WEIR_CONNECT_SIGNALS_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are reported, once each: the second one ends the process as if
 * nothing had been done here. With `terminal`, SIGWINCH and SIGTSTP are as well, each time. What was ignored stays
 * ignored. Returns a descriptor that is readable when there is a signal; -1 with errno set. */
int signals_catch(bool terminal);

struct termios;

/* Before a second signal ends the process, the terminal gets these modes; NULL: they are what they were. */
void signals_restore(const struct termios *modes);

/* The next signal; 0 if there is none. */
int signals_next(void);

#endif
