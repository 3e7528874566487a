/* httpd.h - civetweb: it accepts connections and parses requests, nothing else. Only httpd.c and httpd_request.c
 * know it.
 *
 * Every request is answered by the callback; civetweb's file, CGI and directory code is never reached. Its log goes
 * to ours.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HTTPD_H
#define WEIR_HTTP_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"
#include "server/http/listeners.h"

struct httpd;

struct httpd_options {
    char *const *listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned threads;
    unsigned connection_queue; /* accepted connections that may wait for a thread */
    uint64_t timeout_ms;       /* for a request to come, and between two */
    bool keep_alive;           /* connections are kept, bodies can be read, and slow clients are cut off */

    /* Called on its threads, many at a time. `accepted`, which may be NULL, before there is a request. */
    void (*answer)(void *context, const struct http_request *request, struct http_response *response);
    void (*accepted)(void *context);
    /* May be NULL. The thread's client is held from before its request is answered, or its connection closed, until
     * the descriptor of that has been closed. False if the client has been cut off and must not be answered. */
    bool (*hold)(void *context, const char *peer_address, uint16_t peer_port, uint16_t local_port);
    void (*release)(void *context);
    /* Of an answer to what is no request: its status is set, and a text that says why, a constant. `target` is NULL
     * if nobody knows for what it was. May be NULL. */
    void (*error)(void *context, const char *target, const char *why, struct http_response *response);
    void *context;
};

/* Listens until httpd_stop(). NULL with one line in `error`. */
struct httpd *httpd_start(const struct httpd_options *options, char *error, size_t error_size);

/* Its listening sockets. */
const struct listeners *httpd_listeners(const struct httpd *httpd);

/* Accepts no more clients. Where connections are kept, nothing more is read from them. */
void httpd_shut(struct httpd *httpd);

/* Ends the threads, which takes as long as their requests do. */
void httpd_stop(struct httpd *httpd);

#endif
