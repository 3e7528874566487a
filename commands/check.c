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
    "Checks the configuration that `weir serve` would use with the same options, including its\n"
    "plug-ins. Prints it as an ini file, which says where each value comes from and leaves out\n"
    "keys without effect. Prints each error as one line on stderr.\n\n" SOURCES_HELP
    "  -q, --quiet        print only \"ok\"\n"
    "  -l, --list         print every option with its type, default and meaning\n"
    "  -h, --help         print this help\n\n" SOURCES_HELP_ENVIRONMENT "\n"
    "Exit status: 0 if the configuration is valid, 2 if not.\n";

static void check_report(void *context, const char *error) {
    (void)context;
    fprintf(stderr, "%s\n", error);
}

static void check_print(const struct config *config, bool quiet) {
    if (config->route_count == 0)
        fprintf(stderr, "%s: warning: no [route PATTERN] is configured, so no client can connect\n", config->path);
    if (quiet)
        puts("ok");
    else
        config_print(config, stdout);
}

static int check_run(const struct config_sources *sources, bool quiet) {
    struct config_errors errors = {.report = check_report};
    weir_server *server = weir_server_create();
    if (server == NULL || server_configure(server, sources, &errors) != 0 || server_check(server) != 0) {
        fprintf(stderr, "weir check: %s\n", server != NULL ? weir_server_error(server) : "out of memory");
        weir_server_destroy(server);
        return STATUS_FAILURE;
    }
    if (errors.count == 0)
        check_print(server->config, quiet);
    weir_server_destroy(server);
    return errors.count == 0 ? STATUS_OK : STATUS_USAGE;
}

int command_check(int argc, char **argv) {
    struct config_sources sources = sources_init();
    bool quiet = false;
    int status = sources_read(&sources, argc, argv, help, &quiet, 0);
    if (status < 0)
        status = sources_find_file(&sources, argv[0]) ? check_run(&sources, quiet) : STATUS_USAGE;
    sources_release(&sources);
    return status;
}
