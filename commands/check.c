/* check.c - `weir check`: the configuration validated and printed as it takes effect, or the list of options.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "commands/commands.h"
#include "commands/sources.h"
#include "server/server_private.h"

static const char help[] =
    "usage: weir check [-c FILE] [--set SECTION.KEY=VALUE...]\n"
    "       weir check --list\n\n"
    "Validates the configuration that `weir serve` would have with the same options, plug-ins\n"
    "included, and prints it as an ini file that says where each value comes from.\n\n" SOURCES_HELP
    "  -l, --list         print every option with its type, default and meaning\n"
    "  -h, --help         this\n\n" SOURCES_HELP_ENVIRONMENT "\n"
    "Exit status: 0 if the configuration is right, 2 if not.\n";

static int check(const struct config_sources *sources) {
    weir_server *server = weir_server_create();
    if (server == NULL) {
        fprintf(stderr, "weir check: out of memory\n");
        return STATUS_FAILURE;
    }
    bool right = server_configure(server, sources) == 0 && server_check(server) == 0;
    if (right)
        config_print(server->config, stdout);
    else
        fprintf(stderr, "%s\n", weir_server_error(server));
    weir_server_destroy(server);
    return right ? STATUS_OK : STATUS_USAGE;
}

int command_check(int argc, char **argv) {
    struct config_sources sources = sources_init();
    int status = sources_read(&sources, argc, argv, help, true, 0);
    if (status < 0)
        status = sources_find_file(&sources, argv[0]) ? check(&sources) : STATUS_USAGE;
    sources_release(&sources);
    return status;
}
