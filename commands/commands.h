/* commands.h - the subcommands of `weir`. Each gets its full name as argv[0] and returns the exit status.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_COMMANDS_H
#define WEIR_COMMANDS_H

enum status {
    STATUS_OK = 0,
    STATUS_FAILURE = 1,
    STATUS_USAGE = 2,    /* invalid arguments or configuration */
    STATUS_CROSSED = 99, /* `weir bench --fail-if`: a condition is met */
};

int command_serve(int argc, char **argv);
int command_connect(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_check(int argc, char **argv);
int command_health(int argc, char **argv);

#endif
