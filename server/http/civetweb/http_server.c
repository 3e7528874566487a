/* http_server.c - starts and stops the parts of an HTTP server: civetweb, the thread that cuts off slow clients,
 * and adoption. See http_server.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/http/civetweb/http_server_private.h"

enum { CLIENTS_MS = 1000 };

int http_server_fail(char *error, size_t error_size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
    return -1;
}

/* --- The sockets -------------------------------------------------------------------------------------------- */

/* civetweb keeps the order of the addresses. A port of 0 has become one that was free. */
static int http_server_find_listeners(struct http_server *server, char *error, size_t error_size) {
    struct mg_server_ports ports[LISTENERS_MAX];
    int count = mg_get_server_ports(server->civetweb, LISTENERS_MAX, ports);
    for (int i = 0; i < count && server->options.listen[i] != NULL; i++) {
        const char *address = server->options.listen[i];
        if (!listeners_find(&server->listeners, address, (uint16_t)ports[i].port))
            return http_server_fail(error, error_size, "listen: the socket of %s cannot be found", address);
    }
    return 0;
}

static void http_server_count_client(void *context, int fd, const struct peer *peer) {
    (void)fd, (void)peer;
    ++*(unsigned *)context;
}

/* Waits for the clients that have been accepted but that no thread has taken yet: when the library stops, it never
 * closes those. */
static void http_server_await_clients(const struct http_server *server) {
    const struct timespec moment = {.tv_nsec = 1000000};
    unsigned clients = 1;
    for (int waited = 0; clients > 0 && waited < CLIENTS_MS; waited++) {
        clients = 0;
        listeners_each_client(&server->listeners, http_server_count_client, &clients);
        if (clients > 0)
            nanosleep(&moment, NULL);
    }
}

/* --- The threads that cut off slow clients, and adoption ---------------------------------------------------- */

static int http_server_create_slow_request_reaper(struct http_server *server, char *error, size_t error_size) {
    const struct slow_request_reaper_options options = {.listeners = &server->listeners,
                                                        .threads = server->options.threads,
                                                        .queue = server->options.connection_queue};
    if ((server->slow_request_reaper = slow_request_reaper_create(&options)) != NULL)
        return 0;
    return http_server_fail(error, error_size, "the slow-request reaper: %s", strerror(errno));
}

static int http_server_create_half_open_reaper(struct http_server *server, char *error, size_t error_size) {
    const struct http_server_options *options = &server->options;
    const struct half_open_reaper_options watched = {
        .base = options->base,
        .limits = {.per_address = options->max_half_open_per_ip,
                   .timeout_ms = options->head_timeout_ms,
                   .threads = options->threads,
                   .queue = options->connection_queue},
        .trusted_proxies = options->trusted_proxies,
        .closed = options->half_open_closed,
        .refused = options->without_descriptor,
    };
    if (adoption_open(&server->adoption, options->base) != 0)
        return http_server_fail(error, error_size, "adoption: %s", strerror(errno));
    if ((server->half_open_reaper = half_open_reaper_create(&watched)) != NULL)
        return 0;
    adoption_close(&server->adoption);
    return http_server_fail(error, error_size, "out of memory");
}

static void http_server_release(struct http_server *server) {
    if (server->half_open_reaper != NULL)
        adoption_close(&server->adoption);
    half_open_reaper_destroy(server->half_open_reaper);
    slow_request_reaper_destroy(server->slow_request_reaper);
    free(server);
}

static int http_server_start_threads(struct http_server *server, char *error, size_t error_size) {
    if (server->slow_request_reaper != NULL && slow_request_reaper_start(server->slow_request_reaper) != 0)
        return http_server_fail(error, error_size, "the slow-request reaper: %s", strerror(errno));
    if (server->half_open_reaper != NULL &&
        half_open_reaper_start(server->half_open_reaper, &server->listeners) != 0)
        return http_server_fail(error, error_size, "the half-open reaper: %s", strerror(errno));
    return 0;
}

/* --- Life --------------------------------------------------------------------------------------------------- */

static int http_server_listen(struct http_server *server, char *error, size_t error_size) {
    if (http_server_library_start(server, error, error_size) != 0)
        return -1;
    if (http_server_find_listeners(server, error, error_size) != 0)
        goto no_listeners;
    server->started = true;
    if (http_server_start_threads(server, error, error_size) != 0)
        goto no_threads;
    return 0;

no_threads:
    listeners_shut(&server->listeners);
    http_server_await_clients(server);
no_listeners:
    http_server_library_stop(server);
    return -1;
}

struct http_server *http_server_start(const struct http_server_options *options, char *error, size_t error_size) {
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        http_server_fail(error, error_size, "out of memory");
        return NULL;
    }
    server->options = *options;
    int created = options->keep_alive ? http_server_create_slow_request_reaper(server, error, error_size)
                                      : http_server_create_half_open_reaper(server, error, error_size);
    if (created != 0 || http_server_listen(server, error, error_size) != 0) {
        http_server_release(server);
        return NULL;
    }
    http_server_log_addresses(server);
    return server;
}

uint16_t http_server_port(const struct http_server *server, size_t index) {
    return index < (size_t)server->listeners.count ? server->listeners.bound[index].port : 0;
}

/* Unfinished requests and idle clients are ended first: they would hold up civetweb's threads, which look for a
 * stop only every two seconds. */
void http_server_stop(struct http_server *server) {
    if (server == NULL)
        return;
    if (server->half_open_reaper != NULL)
        half_open_reaper_stop(server->half_open_reaper);
    listeners_shut(&server->listeners);
    slow_request_reaper_end_all(server->slow_request_reaper);
    if (server->half_open_reaper != NULL)
        half_open_reaper_close_all(server->half_open_reaper);
    http_server_await_clients(server);
    slow_request_reaper_stop(server->slow_request_reaper);
    http_server_library_stop(server);
    http_server_release(server);
}
