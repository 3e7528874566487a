/* embed.c - a program that embeds the server: it echoes each message after 50 ms of simulated work.
 *
 *     cc -std=gnu17 -Iinclude -o embed examples/embed.c build/libweir.a -lcivetweb -lcrypto -lz
 *     ./embed 127.0.0.1:9000
 *
 * weir_server_run() starts the server's threads and returns when the server has stopped.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/weir.h>

static weir_server *server;

/* weir_server_stop() is one of the few functions that a signal handler may call. */
static void stop_on_signal(int number) {
    (void)number;
    weir_server_stop(server);
}

static void echo_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    /* Blocking is allowed: the server serves other clients while this one waits. */
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    weir_conn_send(conn, opcode, data, size);
}

static const struct weir_handler echo = {WEIR_HANDLER_INIT, .message = echo_message};

int main(int argc, char **argv) {
    const char *address = argc > 1 ? argv[1] : "127.0.0.1:9000";
    server = weir_server_create();
    if (server == NULL) {
        fprintf(stderr, "embed: out of memory\n");
        return EXIT_FAILURE;
    }
    signal(SIGINT, stop_on_signal);
    signal(SIGTERM, stop_on_signal);
    if (weir_server_set(server, "server", "listen", address) != 0 ||
        weir_server_route(server, "/echo", &echo, NULL, NULL) != 0 || weir_server_run(server) != 0) {
        fprintf(stderr, "embed: %s\n", weir_server_error(server));
        /* Do not call weir_server_destroy() here: a handler that outlasted drain_timeout may still use it. */
        return EXIT_FAILURE;
    }
    weir_server_destroy(server);
    return EXIT_SUCCESS;
}
