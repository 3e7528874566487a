/* closing.h - how a connection ended, in words and as success or failure. Pure functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_CLOSING_H
#define WEIR_CONNECT_CLOSING_H

#include <stdbool.h>
#include <stdio.h>

/* "1000 (OK)", with the reason behind it if there is one, escaped. */
void closing_print(FILE *out, unsigned code, const char *reason);

/* 1000, 1001 and 1005 end a connection as it should. */
bool closing_is_clean(unsigned code);

#endif
