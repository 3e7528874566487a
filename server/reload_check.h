/* reload_check.h - what a reload refuses although it is right by itself, and what it cannot do.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_RELOAD_CHECK_H
#define WEIR_SERVER_RELOAD_CHECK_H

#include <stddef.h>

#include "server/config/config.h"
#include "server/routes.h"

/* An editor empties a file before it writes it again. -1 with one line in `error` if no route is left where there
 * were some, or if a file that had routes or rules for channels is empty now. */
int reload_check(const struct config *before, const struct config *after, char *error, size_t error_size);

/* Logs each plug-in of the table whose file is another one than was loaded: it goes on as it is. Appends what to do
 * to the text. */
void reload_note_plugins(const struct route_table *table, char *text, size_t text_size);

#endif
