/* http_server_library.c - starts and stops civetweb with the options of a server: see http_server_private.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/core/crash.h"
#include "server/http/civetweb/http_server_private.h"

enum { FEATURE_IPV6 = 8, LISTEN_BACKLOG = 4096, THREADS_MS = 1000 };
enum { THREAD_OF_REQUESTS = 1 }; /* the type that civetweb's init_thread gets for a thread that handles requests */

/* civetweb's own timeout on a request; it sends no answer then. The threads that cut off slow clients are earlier,
 * and send one. */
enum { KEEP_ALIVE_TIMEOUT_MS = 6000, MARGIN_MS = 1000 };

/* Two threads must not start or stop civetweb at once. All its contexts share one count of users, one thread key
 * and one mutex, which the first context makes and the last one deletes. */
static pthread_mutex_t library_life = PTHREAD_MUTEX_INITIALIZER;

/* --- Threads ------------------------------------------------------------------------------------------------ */

/* civetweb wakes a thread for each connection that it has accepted. That thread would take the processor from the
 * accepting one, wait for the mutex that this one holds, and find one connection. As batch threads they let it go
 * on: it accepts all clients that wait, and the threads then answer one after the other. */
static void *library_init_thread(const struct mg_context *context, int type) {
    const struct sched_param parameters = {0};
    struct http_server *server = mg_get_user_data(context);
    server->begun++;
    if (type != THREAD_OF_REQUESTS)
        return NULL;
    crash_thread_begins();
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
    return NULL;
}

/* Waits until the threads have begun, since each of them first ignores SIGPIPE, in the whole process: see
 * server/signals.h. A thread that cannot be started never begins; the library then goes on with fewer. */
static void library_await_threads(const struct http_server *server) {
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int waited = 0; server->begun < server->options.threads + 1 && waited < THREADS_MS; waited++)
        nanosleep(&moment, NULL);
}

/* --- Options ------------------------------------------------------------------------------------------------ */

/* Makes civetweb's list of addresses, in the heap. */
static char *library_ports(char *const *listen, char *error, size_t error_size) {
    size_t size = 1;
    for (size_t i = 0; listen[i] != NULL; i++)
        size += strlen(listen[i]) + 1;
    char *ports = calloc(1, size), *end = ports;
    for (size_t i = 0; ports != NULL && listen[i] != NULL; i++) {
        if (listen[i][0] == '[' && !mg_check_feature(FEATURE_IPV6)) {
            http_server_fail(error, error_size,
                             "listen: %s is an IPv6 address, but the civetweb on this machine (%s) is "
                             "built without IPv6; listen on an IPv4 address, or use Debian 13 or later",
                             listen[i], mg_version());
            free(ports);
            return NULL;
        }
        end = stpcpy(stpcpy(end, i == 0 ? "" : ","), listen[i]);
    }
    if (ports == NULL)
        http_server_fail(error, error_size, "out of memory");
    return ports;
}

static uint64_t library_timeout_ms(const struct http_server_options *options) {
    return options->keep_alive ? KEEP_ALIVE_TIMEOUT_MS : options->head_timeout_ms + MARGIN_MS;
}

static int library_start(struct http_server *server, const char *ports, char *error, size_t error_size) {
    const struct http_server_options *options = &server->options;
    char threads[16], queue[16], backlog[16], timeout[24], head_max[16];
    snprintf(threads, sizeof threads, "%u", options->threads);
    snprintf(queue, sizeof queue, "%u", options->connection_queue);
    snprintf(backlog, sizeof backlog, "%d", LISTEN_BACKLOG);
    snprintf(head_max, sizeof head_max, "%d", HTTP_HEAD_MAX);
    snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)library_timeout_ms(options));
    const char *settings[] = {"listening_ports",
                              ports,
                              "num_threads",
                              threads,
                              "connection_queue",
                              queue,
                              "listen_backlog",
                              backlog,
                              "max_request_size",
                              head_max,
                              "request_timeout_ms",
                              timeout,
                              "tcp_nodelay",
                              "1",
                              "enable_keep_alive",
                              options->keep_alive ? "yes" : "no",
                              "keep_alive_timeout_ms",
                              timeout,
                              "decode_url",
                              "no",
                              "enable_directory_listing",
                              "no",
                              "enable_auth_domain_check",
                              "no",
                              NULL};
    struct mg_callbacks callbacks = {.init_thread = library_init_thread, .log_message = http_server_log_message};
    http_server_set_callbacks(&callbacks);
    struct mg_init_data init = {.callbacks = &callbacks, .user_data = server, .configuration_options = settings};
    char text[HTTP_SERVER_MESSAGE_MAX] = "";
    struct mg_error_data failure = {.text = text, .text_buffer_size = sizeof text};
    server->civetweb = mg_start2(&init, &failure);
    if (server->civetweb != NULL) {
        library_await_threads(server);
        return 0;
    }
    return http_server_fail(error, error_size, "listen: %s",
                            server->start_error[0] != '\0' ? server->start_error : text);
}

int http_server_library_start(struct http_server *server, char *error, size_t error_size) {
    char *ports = library_ports(server->options.listen, error, error_size);
    if (ports == NULL)
        return -1;
    pthread_mutex_lock(&library_life);
    mg_init_library(0);
    int result = library_start(server, ports, error, error_size);
    if (result != 0)
        mg_exit_library();
    pthread_mutex_unlock(&library_life);
    free(ports);
    return result;
}

void http_server_library_stop(struct http_server *server) {
    pthread_mutex_lock(&library_life);
    mg_stop(server->civetweb);
    mg_exit_library();
    pthread_mutex_unlock(&library_life);
}
