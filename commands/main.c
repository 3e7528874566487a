/* main.c - `weir`: finds and runs the subcommand.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "commands/commands.h"
#include "commands/usage.h"

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const struct command {
    const char *name;
    const char *full_name; /* the name that the command uses in errors */
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"serve", "weir serve", command_serve, "run the server that an ini file describes"},
    {"connect", "weir connect", command_connect, "talk to a WebSocket server by hand or from a script"},
    {"bench", "weir bench", command_bench, "load a WebSocket server with many clients and measure it"},
    {"check", "weir check", command_check, "validate an ini file, or list every option"},
    {"health", "weir health", command_health, "ask a server whether it accepts clients"},
    {"help", "weir help", command_help, "explain a command, or list them all"},
    {"version", "weir version", command_version, "print the version"},
    {NULL, NULL, NULL, NULL},
};

/* Options of `weir` itself, each of which is another way to write a command. */
static const struct alias {
    const char *name;
    const char *command;
} aliases[] = {
    {"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}, {NULL, NULL},
};

static void main_print_usage(FILE *out) {
    fprintf(out, "weir - a WebSocket server whose handlers may block\n\n"
                 "usage: weir COMMAND [OPTION...]\n\ncommands:\n");
    for (const struct command *command = commands; command->name != NULL; command++)
        fprintf(out, "  %-8s %s\n", command->name, command->help);
    fprintf(out, "\nRun `weir help COMMAND` or `weir COMMAND --help` for details.\n");
}

/* Returns NULL, after printing an error, if there is no such command. */
static const struct command *main_find(const char *word) {
    const char *name = word;
    for (const struct alias *alias = aliases; alias->name != NULL; alias++)
        if (strcmp(word, alias->name) == 0)
            name = alias->command;
    for (const struct command *command = commands; command->name != NULL; command++)
        if (strcmp(name, command->name) == 0)
            return command;
    bool option = word[0] == '-';
    fprintf(stderr, "weir: unknown %s \"%s\"", option ? "option" : "command", word);
    usage_suggest("", word, option ? NAMES_OF(aliases) : NAMES_OF(commands));
    fputs("; `weir help` lists the commands\n", stderr);
    return NULL;
}

static int main_unexpected(char **argv, int at) {
    fprintf(stderr, "%s: unexpected argument \"%s\"\n", argv[0], argv[at]);
    return STATUS_USAGE;
}

static int command_help(int argc, char **argv) {
    const struct command *command = argc > 1 ? main_find(argv[1]) : NULL;
    if (argc > 2)
        return main_unexpected(argv, 2);
    if (argc > 1 && command == NULL)
        return STATUS_USAGE;
    if (command == NULL || command->run == command_help || command->run == command_version) {
        main_print_usage(stdout);
        return STATUS_OK;
    }
    return command->run(2, (char *[]){(char *)command->full_name, "--help", NULL});
}

static int command_version(int argc, char **argv) {
    if (argc > 1)
        return main_unexpected(argv, 1);
    printf("weir %s\n", WEIR_VERSION);
    return STATUS_OK;
}

/* Opens /dev/null for each standard descriptor that the parent process closed. Otherwise the next socket would
 * get that number, and be printed to or read from. Opened in the wrong direction, the descriptor makes such calls
 * fail instead. */
static void main_occupy_standard_descriptors(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv) {
    main_occupy_standard_descriptors();
    if (argc < 2) {
        main_print_usage(stderr);
        return STATUS_USAGE;
    }
    const struct command *command = main_find(argv[1]);
    if (command == NULL)
        return STATUS_USAGE;
    argv[1] = (char *)command->full_name;
    return command->run(argc - 1, argv + 1);
}
