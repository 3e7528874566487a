/* sources.h - where `weir serve` and `weir check` get the configuration from: -c FILE, the environment, --set.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_COMMANDS_SOURCES_H
#define WEIR_COMMANDS_SOURCES_H

#include "commands/commands.h"
#include "server/config/config.h"

/* For the helps of both commands. */
#define SOURCES_HELP                                                                                               \
    "  -c, --config FILE  the ini file (default: " DEFAULT_CONFIG ")\n"                                            \
    "  -s, --set SECTION.KEY=VALUE\n"                                                                              \
    "                     set this after the file and the environment have been read, for\n"                       \
    "                     example --set server.workers=16 or --set 'route /echo.handler=echo';\n"                  \
    "                     may be given several times\n"

#define SOURCES_HELP_ENVIRONMENT                                                                                   \
    "Options of the file's sections also come from the environment, which wins over the file:\n"                   \
    "WEIR_SERVER_WORKERS=16, WEIR_LOG_LEVEL=debug, and so on. `weir check` shows which value\n"                    \
    "comes from where.\n"

/* The default file and the environment. */
struct config_sources sources_init(void);

/* Adds a --set; the text must last. Prints an error and returns -1 if memory is out. */
int sources_add_setting(struct config_sources *sources, const char *command, char *setting);

void sources_release(struct config_sources *sources);

#endif
