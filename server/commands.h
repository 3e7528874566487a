/* commands.h - the subcommands of `weir`. Each gets its full name as argv[0] and returns the exit status: 0, 1 for
 * a failure, 2 for a wrong call or configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_COMMANDS_H
#define WEIR_SERVER_COMMANDS_H

enum { STATUS_OK = 0, STATUS_FAILURE = 1, STATUS_USAGE = 2 };

#define DEFAULT_CONFIG "conf/weir.ini"

int command_serve(int argc, char **argv);
int command_check(int argc, char **argv);

#endif
