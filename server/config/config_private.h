/* config_private.h - what config.c and config_load.c share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_CONFIG_PRIVATE_H
#define WEIR_CONFIG_CONFIG_PRIVATE_H

#include "server/config/config.h"

/* Sets an option by name; `base` is the struct that its section's fields lie in. Returns 0; or -1 with one line in
 * `error`. */
int config_set_option(void *base, const char *section, const char *key, const char *value, char *error,
                      size_t error_size);

/* Frees what the route holds, not the route. */
void config_release_route(struct config_route *route);

#endif
