/* command_serve.c - `weir serve`: the server, from an ini file, until SIGINT or SIGTERM.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "server/commands.h"

static const char help[] =
    "usage: weir serve [-c FILE]\n\n"
    "Serves WebSocket clients until SIGINT or SIGTERM; then closes every client with 1001 and\n"
    "ends. A second signal ends at once. The log goes to stderr.\n\n"
    "  -c, --config FILE  the ini file (default: " DEFAULT_CONFIG ")\n"
    "  -h, --help         this\n\n"
    "Exit status: 0 after a clean stop, 1 if a handler had to be left behind, 2 if the\n"
    "configuration is wrong or the server could not start.\n";

static weir_server *running; /* for the signal handler */

static void on_signal(int signal) {
    static volatile sig_atomic_t signals;
    if (signals++ > 0)
        _exit(128 + signal);
    weir_server_stop(running);
}

static void catch_signals(weir_server *server) {
    running = server;
    const struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve(const char *path) {
    weir_server *server = weir_server_create();
    if (server == NULL) {
        fprintf(stderr, "weir serve: out of memory\n");
        return STATUS_FAILURE;
    }
    catch_signals(server);
    int result = weir_server_load(server, path) == 0 ? weir_server_run(server) : -1;
    if (result != 0)
        fprintf(stderr, "%s\n", weir_server_error(server));
    if (result > 0)
        _exit(STATUS_FAILURE); /* a handler still runs: nothing can be freed under it */
    weir_server_destroy(server);
    return result == 0 ? STATUS_OK : STATUS_USAGE;
}

int command_serve(int argc, char **argv) {
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *path = DEFAULT_CONFIG;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;)
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return STATUS_OK;
        default:
            return STATUS_USAGE;
        }
    if (optind < argc) {
        fprintf(stderr, "weir serve: unexpected \"%s\"; `weir serve --help` shows the options\n", argv[optind]);
        return STATUS_USAGE;
    }
    return serve(path);
}
