/* plugin_options.h - the options that a plug-in declares (include/weir/plugin.h), and those that its route sets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_PLUGIN_OPTIONS_H
#define WEIR_SERVER_PLUGIN_OPTIONS_H

#include <weir/plugin.h>

#include "server/config/config.h"

/* What weir_option_text() and its like are asked about. */
struct weir_options {
    const struct weir_plugin *plugin;
    const struct config_route *route;
};

/* Whether what the plug-in declares makes sense. These two return -1 with one line in `error`, unless all errors
 * are wanted (config_go_on()). `path` is that of the shared object. */
int plugin_check_declared(const struct weir_plugin *plugin, const char *path, const struct config *config,
                          const struct config_route *route, char *error, size_t error_size);

/* Checks the route's keys against it, reads the files of secrets, and marks what is not to be shown. */
int plugin_read_options(const struct weir_plugin *plugin, const struct config *config, struct config_route *route,
                        char *error, size_t error_size);

#endif
