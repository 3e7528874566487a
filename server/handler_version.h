/* handler_version.h - reads handlers that were compiled with other headers than the server's. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_HANDLER_VERSION_H
#define WEIR_SERVER_HANDLER_VERSION_H

#include <weir/handler.h>

/* Copies a handler of any size into one of ours. Callbacks that its struct does not have yet become NULL. Returns
 * NULL; or, in one constant line, what is wrong with it. `copy` may be NULL: then it is only checked. */
const char *handler_copy(struct weir_handler *copy, const struct weir_handler *handler);

#endif
