/* serve.c - `weir serve`: runs the server that the ini file, the environment and the command line describe, until
 * SIGINT or SIGTERM.
 *
 * SPDX-License-Identifier: MIT
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "commands/commands.h"
#include "commands/sources.h"

static const char help[] =
    "usage: weir serve [-c FILE] [--set SECTION.KEY=VALUE...]\n\n"
    "Serves WebSocket clients until SIGINT or SIGTERM. Then it closes every connection with 1001\n"
    "and exits. A second signal makes it exit at once. SIGHUP reloads the configuration: routes,\n"
    "limits, origins, token and log levels change, and no client is disconnected. SIGUSR1 reopens\n"
    "the log file, after logrotate.\n\n" SOURCES_HELP
    "  -h, --help         print this help\n\n" SOURCES_HELP_ENVIRONMENT "\n"
    "Exit status: 0 after a clean stop, 1 if a handler did not return in time, 2 if the\n"
    "configuration is invalid or the server could not start.\n";

enum { ERROR_MS = 200 };

static weir_server *running; /* for the signal handler */

static void serve_on_signal(int signal) {
    static volatile sig_atomic_t signals;
    if (signals++ > 0) {
        weir_log_flush();
        _exit(128 + signal);
    }
    weir_server_stop(running);
}

static void serve_on_rotation(int signal) {
    (void)signal;
    weir_log_reopen();
}

static void serve_on_hangup(int signal) {
    (void)signal;
    weir_server_reload(running);
}

static void serve_catch_signals(weir_server *server) {
    running = server;
    const struct sigaction stop = {.sa_handler = serve_on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    const struct sigaction rotation = {.sa_handler = serve_on_rotation, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &rotation, NULL);
    const struct sigaction hangup = {.sa_handler = serve_on_hangup, .sa_flags = SA_RESTART};
    sigaction(SIGHUP, &hangup, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Skips the error if stderr has no room for ERROR_MS: its reader may be stopped, and must not delay the exit. */
static void serve_print_error(const char *error) {
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&room, 1, ERROR_MS) != 0)
        fprintf(stderr, "%s\n", error);
}

static int serve_configure(weir_server *server, const struct config_sources *sources) {
    return weir_server_configure(server, sources->path, (const char *const *)sources->environment,
                                 (const char *const *)sources->settings);
}

static int serve_run(const struct config_sources *sources) {
    weir_server *server = weir_server_create();
    if (server == NULL) {
        fprintf(stderr, "weir serve: out of memory\n");
        return STATUS_FAILURE;
    }
    serve_catch_signals(server);
    weir_report_crashes();
    int result = serve_configure(server, sources) == 0 ? weir_server_run(server) : -1;
    if (result != 0)
        serve_print_error(weir_server_error(server));
    if (result > 0)
        _exit(STATUS_FAILURE); /* a handler still runs, so nothing that it uses can be freed */
    signal(SIGHUP, SIG_IGN);   /* the server is about to be destroyed */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    weir_server_destroy(server);
    return result == 0 ? STATUS_OK : STATUS_USAGE;
}

int command_serve(int argc, char **argv) {
    struct config_sources sources = sources_init();
    int status = sources_read(&sources, argc, argv, help, NULL, 0);
    if (status < 0)
        status = sources_find_file(&sources, argv[0]) ? serve_run(&sources) : STATUS_USAGE;
    sources_release(&sources);
    return status;
}
