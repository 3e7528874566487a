/* sources.h - where `weir serve`, `check` and `health` get the configuration: -c FILE, the environment, --set.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_COMMANDS_SOURCES_H
#define WEIR_COMMANDS_SOURCES_H

#include <stdbool.h>

#include "commands/commands.h"
#include "server/config/config.h"

/* Option descriptions for the help texts of these commands. */
#define SOURCES_HELP                                                                                               \
    "  -c, --config FILE  the ini file (default: ./conf/weir.ini, or /etc/weir/weir.ini if that\n"                 \
    "                     does not exist)\n"                                                                       \
    "  -s, --set SECTION.KEY=VALUE\n"                                                                              \
    "                     set this after the file and the environment have been read, for\n"                       \
    "                     example --set server.workers=16 or --set 'route /echo.handler=echo';\n"                  \
    "                     may be given several times\n"

#define SOURCES_HELP_ENVIRONMENT                                                                                   \
    "The environment can also set the keys of the file's sections, and overrides the file:\n"                      \
    "WEIR_SERVER_WORKERS=16, WEIR_ROUTE_ECHO_ORIGINS=*, and so on. `weir check` shows where each\n"                \
    "value comes from, and the names of the variables of a section with a pattern.\n"

/* Returns sources with the process's environment and nothing else. */
struct config_sources sources_init(void);

/* Reads the options that these commands share. If `quiet` is not NULL, also reads --list and --quiet, which sets
 * *quiet. At most `operands` arguments may follow, from optind on. Returns -1 to continue, or else the exit
 * status after printing what was needed. The texts must outlive the sources. */
int sources_read(struct config_sources *sources, int argc, char **argv, const char *help, bool *quiet,
                 int operands);

/* Without -c: selects the first default file that exists. Returns false, after printing an error, if there is
 * none. */
bool sources_find_file(struct config_sources *sources, const char *command);

void sources_release(struct config_sources *sources);

#endif
