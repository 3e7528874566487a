/* closing.h - describes how a connection ended, and whether that is a success. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_CLOSING_H
#define WEIR_CONNECT_CLOSING_H

#include <stdbool.h>
#include <stdio.h>

/* Prints "1000 (OK)", followed by the reason, escaped, if there is one. */
void closing_print(FILE *out, unsigned code, const char *reason);

/* True for 1000, 1001 and 1005, which end a connection normally. */
bool closing_is_clean(unsigned code);

#endif
