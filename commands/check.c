/* check.c - `weir check`: validates the configuration and prints it as it takes effect, or lists the options.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "commands/commands.h"
#include "commands/sources.h"
#include "server/server_private.h"

static const char help[] =
    "usage: weir check [-q] [-c FILE] [--set SECTION.KEY=VALUE...]\n"
    "       weir check --list\n\n"
    "Validates the configuration that `weir serve` would have with the same options, plug-ins\n"
    "included, and prints it as an ini file that says where each value comes from, without the\n"
    "keys that have no effect here. Every error is a line on stderr.\n\n" SOURCES_HELP
    "  -q, --quiet        print ok and nothing else\n"
    "  -l, --list         print every option with its type, default and meaning\n"
    "  -h, --help         this\n\n" SOURCES_HELP_ENVIRONMENT "\n"
    "Exit status: 0 if the configuration is right, 2 if not.\n";

static void tell(void *context, const char *error) {
    (void)context;
    fprintf(stderr, "%s\n", error);
}

static void print(const struct config *config, bool quiet) {
    if (config->route_count == 0)
        fprintf(stderr, "%s: warning: there is no [route PATTERN], so clients find nothing here\n", config->path);
    if (quiet)
        puts("ok");
    else
        config_print(config, stdout);
}

static int check(const struct config_sources *sources, bool quiet) {
    struct config_errors errors = {.tell = tell};
    weir_server *server = weir_server_create();
    if (server == NULL || server_configure(server, sources, &errors) != 0 || server_check(server) != 0) {
        fprintf(stderr, "weir check: %s\n", server != NULL ? weir_server_error(server) : "out of memory");
        weir_server_destroy(server);
        return STATUS_FAILURE;
    }
    if (errors.count == 0)
        print(server->config, quiet);
    weir_server_destroy(server);
    return errors.count == 0 ? STATUS_OK : STATUS_USAGE;
}

int command_check(int argc, char **argv) {
    struct config_sources sources = sources_init();
    bool quiet = false;
    int status = sources_read(&sources, argc, argv, help, &quiet, 0);
    if (status < 0)
        status = sources_find_file(&sources, argv[0]) ? check(&sources, quiet) : STATUS_USAGE;
    sources_release(&sources);
    return status;
}
