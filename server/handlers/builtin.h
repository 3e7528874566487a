/* builtin.h - the handlers that come with the server, written against the public interface alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HANDLERS_BUILTIN_H
#define WEIR_HANDLERS_BUILTIN_H

#include <weir/handler.h>

/* Sends every message back. No context. */
extern const struct weir_handler handler_echo;

/* Sends every message to every client of the route. Context: a const bool, whether the sender is one of them. */
extern const struct weir_handler handler_broadcast;

#endif
