/* command_check.c - `weir check`: an ini file validated and printed as it takes effect, or the list of options.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdio.h>

#include "server/commands.h"
#include "server/server_private.h"

static const char help[] =
    "usage: weir check [-c FILE]\n"
    "       weir check --list\n\n"
    "Validates an ini file, its plug-ins included, and prints the configuration that it makes.\n\n"
    "  -c, --config FILE  the ini file (default: " DEFAULT_CONFIG ")\n"
    "  -l, --list         print every option with its type, default and meaning\n"
    "  -h, --help         this\n\n"
    "Exit status: 0 if the file is right, 2 if not.\n";

static int check(const char *path) {
    weir_server *server = weir_server_create();
    if (server == NULL) {
        fprintf(stderr, "weir check: out of memory\n");
        return STATUS_FAILURE;
    }
    bool right = weir_server_load(server, path) == 0 && server_check(server) == 0;
    if (right)
        config_print(server->config, stdout);
    else
        fprintf(stderr, "%s\n", weir_server_error(server));
    weir_server_destroy(server);
    return right ? STATUS_OK : STATUS_USAGE;
}

int command_check(int argc, char **argv) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"list", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *path = DEFAULT_CONFIG;
    for (int option; (option = getopt_long(argc, argv, "c:lh", options, NULL)) != -1;)
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'l':
            config_list(stdout);
            return STATUS_OK;
        case 'h':
            fputs(help, stdout);
            return STATUS_OK;
        default:
            return STATUS_USAGE;
        }
    if (optind < argc) {
        fprintf(stderr, "weir check: unexpected \"%s\"; `weir check --help` shows the options\n", argv[optind]);
        return STATUS_USAGE;
    }
    return check(path);
}
