/* interactive.h - `weir connect` on a terminal: a prompt, a line editor, and incoming messages above it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_INTERACTIVE_H
#define WEIR_CONNECT_INTERACTIVE_H

#include "commands/connect/session.h"

/* Runs until the connection has ended. False after an error other than the connection's, which is printed on
 * stderr. */
bool interactive_run(struct session *session);

#endif
