/* embedded.h - a whole server inside a program, on its own thread, and clients of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_EMBEDDED_H
#define WEIR_TESTS_UNIT_EMBEDDED_H

#include <pthread.h>

#include <weir/weir.h>

struct embedded {
    weir_server *server;
    unsigned port; /* of 127.0.0.1 */
    pthread_t thread;
    int result; /* of weir_server_run(), after embedded_stop() */
};

/* A server that logs only errors and has few threads; it does not run yet. */
void embedded_create(struct embedded *embedded);

/* A free port, as "127.0.0.1:N". */
unsigned embedded_free_port(char address[32]);

/* Sets one option, which must work. */
void embedded_set(struct embedded *embedded, const char *section, const char *key, const char *value);

/* Runs it until embedded_stop(); returns when it takes clients. */
void embedded_start(struct embedded *embedded);
void embedded_stop(struct embedded *embedded);

weir_client *embedded_connect(const struct embedded *embedded, const char *path);

/* What the process uses now. */
unsigned count_descriptors(void);
unsigned count_threads(void);

#endif
