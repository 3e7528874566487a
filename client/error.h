/* error.h - the one line that says why a connection failed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CLIENT_ERROR_H
#define WEIR_CLIENT_ERROR_H

#include <weir/client.h>

/* Fills *error (may be NULL) with a text formatted as by printf(). Text from a server or user is made safe to
 * print: control characters and bytes that are not UTF-8 become \xNN. A text that is too long ends in "...". */
__attribute__((format(printf, 3, 4))) void client_error(struct weir_client_error *error,
                                                        enum weir_client_cause cause, const char *format, ...);

#endif
