/* sized.h - reads structs that begin with their size, from programs and plug-ins that were compiled with other
 * headers than the server's. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_SIZED_H
#define WEIR_SERVER_SIZED_H

#include <weir/handler.h>
#include <weir/server.h>

/* Copy a struct of any size into one of ours; members that it does not have yet become 0. They return NULL; or, in
 * one constant line, what is wrong with it. `copy` may be NULL: then it is only checked. */
const char *handler_copy(struct weir_handler *copy, const struct weir_handler *handler);
const char *route_options_copy(struct weir_route_options *copy, const struct weir_route_options *options);

#endif
