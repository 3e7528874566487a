/* plugin_options.h - checks the options that a plug-in declares (include/weir/plugin.h), and reads those that its
 * route sets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_PLUGIN_OPTIONS_H
#define WEIR_SERVER_PLUGIN_OPTIONS_H

#include <weir/plugin.h>

#include "server/config/config.h"

/* The argument of weir_option_text(), weir_option_number() and weir_option_pattern(). */
struct weir_options {
    const struct weir_plugin *plugin;
    const struct config_route *route;
};

/* Checks the options that the plug-in declares; `path` is the path of the shared object, for errors. Returns 0, or
 * -1 with one line in `error`. If all errors are wanted, it reports them with config_go_on() and returns 0. */
int plugin_check_declared(const struct weir_plugin *plugin, const char *path, const struct config *config,
                          const struct config_route *route, char *error, size_t error_size);

/* Checks the route's keys against the declared options, reads the files of secrets, and marks secrets, which are
 * never shown. Errors as plugin_check_declared(). */
int plugin_read_options(const struct weir_plugin *plugin, const struct config *config, struct config_route *route,
                        char *error, size_t error_size);

#endif
