/* main.c - `weir`: finds the command.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "commands/commands.h"

static const struct command {
    const char *name;
    const char *full_name; /* what the command calls itself in errors */
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"serve", "weir serve", command_serve, "serve WebSocket clients as an ini file says"},
    {"connect", "weir connect", command_connect, "talk to a WebSocket server by hand or from a script"},
    {"bench", "weir bench", command_bench, "load a WebSocket server with many clients and measure it"},
    {"check", "weir check", command_check, "validate an ini file, or list every option"},
    {"health", "weir health", command_health, "ask a server whether it takes clients"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fprintf(out, "weir - a WebSocket server whose handlers may block\n\n"
                 "usage: weir COMMAND [OPTION...]\n\ncommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n`weir COMMAND --help` says more, `weir --version` which weir this is.\n");
}

/* A standard descriptor that whoever started us has closed would be the number of the next socket: what is printed
 * would go there, and what is read would come from there. Now it fails. */
static void occupy_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv) {
    occupy_standard_descriptors();
    if (argc < 2) {
        print_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("weir %s\n", WEIR_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            argv[1] = (char *)commands[i].full_name;
            return commands[i].run(argc - 1, argv + 1);
        }
    fprintf(stderr, "weir: no command \"%s\"; `weir --help` lists them\n", argv[1]);
    return STATUS_USAGE;
}
