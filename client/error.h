/* error.h - the one line that says why there is no connection.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_ERROR_H
#define WEIR_CLIENT_ERROR_H

#include <weir/client.h>

/* Fills *error (NULL is allowed) with a text as of printf(). What a server or user has put into it is made fit to
 * be printed: control characters and what is not UTF-8 come out as \xNN. A text that is too long ends in "...". */
__attribute__((format(printf, 3, 4))) void client_error(struct weir_client_error *error,
                                                        enum weir_client_cause cause, const char *format, ...);

#endif
