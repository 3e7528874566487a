/* pipe.h - `weir connect` without a terminal: one line in is one message, one message is one line out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_PIPE_H
#define WEIR_CONNECT_PIPE_H

#include "commands/connect/session.h"

/* Runs until the connection has ended. False after an error other than the connection's, which is printed on
 * stderr. */
bool pipe_run(struct session *session);

#endif
