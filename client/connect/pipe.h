/* pipe.h - `weir connect` without a terminal: one line in is one message, one message is one line out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_PIPE_H
#define WEIR_CONNECT_PIPE_H

#include "client/connect/session.h"

/* Talks until the connection has ended. False if something went wrong other than the connection, which has been
 * said on stderr. */
bool pipe_run(struct session *session);

#endif
