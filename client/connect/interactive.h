/* interactive.h - `weir connect` on a terminal: a prompt, a line editor, and what comes in between.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_INTERACTIVE_H
#define WEIR_CONNECT_INTERACTIVE_H

#include "client/connect/session.h"

/* Talks until the connection has ended. False if something went wrong other than the connection, which has been
 * said on stderr. */
bool interactive_run(struct session *session);

#endif
