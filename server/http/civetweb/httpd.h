/* httpd.h - civetweb: it accepts connections and parses requests, and does nothing else. Only httpd.c and
 * httpd_request.c know it.
 *
 * The `answer` callback answers every request. civetweb's code for files, CGI and directories is never reached.
 * Its log goes to ours.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HTTPD_H
#define WEIR_HTTP_CIVETWEB_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/civetweb/listeners.h"
#include "server/http/http.h"

struct httpd;

struct httpd_options {
    char *const *listen; /* "0.0.0.0:9000", "[::1]:9000"; NULL-terminated */
    unsigned threads;
    unsigned connection_queue; /* accepted connections that may wait for a thread */
    uint64_t timeout_ms;       /* how long a request may take to come, also between two requests */
    bool keep_alive;           /* connections are kept, bodies can be read, and slow clients are cut off */

    /* Both are called on its threads, many at a time. `accepted`, which may be NULL, is called before there is a
     * request. */
    void (*answer)(void *context, const struct http_request *request, struct http_response *response);
    void (*accepted)(void *context);
    /* May be NULL. `hold` is called before the thread's client is answered or its connection closed; `release`
     * after its descriptor has been closed. `hold` returns false if the client has been cut off and must not be
     * answered. */
    bool (*hold)(void *context, const char *peer_address, uint16_t peer_port, uint16_t local_port);
    void (*release)(void *context);
    /* May be NULL. Called for the answer to what is not a valid request, which has its status set; `why` is a
     * constant text. `target` is NULL if it is not known. */
    void (*error)(void *context, const char *target, const char *why, struct http_response *response);
    void *context;
};

/* Listens until httpd_stop(). Returns NULL with one line in `error`. */
struct httpd *httpd_start(const struct httpd_options *options, char *error, size_t error_size);

/* Its listening sockets. */
const struct listeners *httpd_listeners(const struct httpd *httpd);

/* Returns the port that the address at this index of `listen` is bound to. */
uint16_t httpd_port(const struct httpd *httpd, size_t index);

/* Accepts no more clients. Where connections are kept, it also stops reading from them. */
void httpd_shut(struct httpd *httpd);

/* Ends the threads, which takes as long as their requests do. */
void httpd_stop(struct httpd *httpd);

#endif
