/* reload_check.h - valid configurations that a reload refuses nevertheless, and changes that a reload cannot make.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_RELOAD_CHECK_H
#define WEIR_SERVER_RELOAD_CHECK_H

#include <stddef.h>

#include "server/config/config.h"
#include "server/routes.h"

/* Guards against a file that an editor has emptied and not written yet. Returns 0, or -1 with one line in `error`:
 * there were routes and none is left, or a file that had routes or channel rules is now empty. */
int reload_check(const struct config *before, const struct config *after, char *error, size_t error_size);

/* Logs each plug-in of the table whose file has changed since it was loaded; the loaded version keeps running.
 * Appends to `text` that a restart is needed. */
void reload_note_plugins(const struct route_table *table, char *text, size_t text_size);

#endif
