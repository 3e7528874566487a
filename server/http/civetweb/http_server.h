/* http_server.h - an HTTP server as the rest of weir sees it: a request comes in, and an answer or the socket goes
 * out. It is the only header of this folder that others include, so another HTTP library would change this folder
 * alone.
 *
 * civetweb accepts connections and parses requests. Its code for files, CGI and directories is never reached, and
 * its log goes to ours. Clients that are too slow are cut off: see half_open_reaper.h for servers without
 * keep-alive, and slow_request_reaper.h for those with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HTTP_SERVER_H
#define WEIR_HTTP_CIVETWEB_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"

struct http_server;

struct http_server_options {
    char *const *listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned threads;
    unsigned connection_queue; /* accepted connections that may wait for a thread */

    /* Connections are kept, and bodies can be read. Without keep-alive each connection has one request, and its
     * socket can be taken (struct http_socket). */
    bool keep_alive;

    /* These are for a server without keep-alive. */
    uint64_t head_timeout_ms;             /* how long the head of a request may take to come */
    unsigned max_half_open_per_ip;        /* unfinished requests of one address; 0: no limit */
    char *const *trusted_proxies;         /* networks, see address_is_in(); they have no such limit */
    int base;                             /* sockets that are taken get numbers from here on, if any is free */
    _Atomic uint64_t *half_open_closed;   /* counts the requests that were cut off unfinished */
    _Atomic uint64_t *without_descriptor; /* counts the clients for which there was no descriptor */

    /* Answers every request. Called on the server's threads, on many at a time. */
    void (*answer)(void *context, const struct http_request *request, struct http_response *response);
    /* May be NULL. Called for the answer to what is not a valid request, which has its status set; `why` is a
     * constant text. `target` is NULL if it is not known. */
    void (*error)(void *context, const char *target, const char *why, struct http_response *response);
    void *context;
};

/* Listens until http_server_stop(). Returns NULL with one line in `error`. */
struct http_server *http_server_start(const struct http_server_options *options, char *error, size_t error_size);

/* Returns the port that the address at this index of `listen` is bound to. */
uint16_t http_server_port(const struct http_server *server, size_t index);

/* Stops listening, cuts off unfinished requests, and ends the threads, which takes as long as the other requests
 * do. NULL is allowed. */
void http_server_stop(struct http_server *server);

#endif
