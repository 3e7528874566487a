/* http_server_private.h - what the files http_server*.c share. They alone know civetweb.
 *
 *     http_server.c            starts and stops the parts of a server
 *     http_server_library.c    starts and stops civetweb
 *     http_server_callbacks.c  what civetweb calls for a connection, and for what it cannot read
 *     http_server_request.c    reads the head of a request again
 *     http_server_body.c       reads a body
 *     http_server_answer.c     has a request answered
 *     http_server_response.c   sends a response
 *     http_server_log.c        civetweb's log, and the addresses
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CIVETWEB_HTTP_SERVER_PRIVATE_H
#define WEIR_HTTP_CIVETWEB_HTTP_SERVER_PRIVATE_H

#include <civetweb.h>

#include "server/http/civetweb/adoption.h"
#include "server/http/civetweb/half_open_reaper.h"
#include "server/http/civetweb/http_server.h"
#include "server/http/civetweb/listeners.h"
#include "server/http/civetweb/slow_request_reaper.h"

enum { HTTP_SERVER_MESSAGE_MAX = 256 };

struct http_server {
    struct mg_context *civetweb;
    struct http_server_options options;
    struct listeners listeners;
    struct adoption adoption;                        /* not with keep-alive */
    struct half_open_reaper *half_open_reaper;       /* not with keep-alive; else NULL */
    struct slow_request_reaper *slow_request_reaper; /* with keep-alive; else NULL */
    _Atomic unsigned busy;                           /* threads that have a connection */
    _Atomic bool started;                            /* set once `listeners` is complete */
    _Atomic unsigned begun;                          /* threads of civetweb that have begun */
    char start_error[HTTP_SERVER_MESSAGE_MAX];       /* what civetweb logged while it started */
};

/* Formats like printf into `error`. Returns -1. */
int http_server_fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- http_server_library.c --- */

/* Starts civetweb with the server's options. Returns -1 with one line in `error`. */
int http_server_library_start(struct http_server *server, char *error, size_t error_size);
void http_server_library_stop(struct http_server *server);

/* --- http_server_callbacks.c --- */

/* Sets the callbacks for connections and requests. */
void http_server_set_callbacks(struct mg_callbacks *callbacks);

/* --- http_server_body.c --- */

/* A request's body, with the connection that it comes from. */
struct http_server_body {
    struct http_body body;
    struct http_server *server;
    struct mg_connection *connection;
    bool awaits_continue; /* the client sends its body only after a 100 (RFC 7231, 5.1.1) */
    bool begun;
    long long taken; /* bytes that have been read */
};

/* Announces the request's body, if it has one: sets request->body. `body` must live as long as the request. */
void http_server_body_announce(struct http_server_body *body, struct http_server *server,
                               struct mg_connection *connection, struct http_request *request);

/* Reads part of what is left of a body after the answer. Many clients read the answer only after they have sent
 * their body, and lose it if the connection is closed before. */
void http_server_body_linger(struct http_server_body *body);

/* --- http_server_answer.c --- */

/* Has the request answered. Returns the response's status, and adds to *taken what the request has used up of the
 * connection's bytes. */
int http_server_answer(struct http_server *server, struct mg_connection *connection, struct http_request *request,
                       uint64_t *taken);

/* --- http_server_response.c --- */

/* Writes a response: a short one in one piece. Returns whether all of it was taken. */
bool http_server_respond(struct mg_connection *connection, const struct http_response *response, bool with_body,
                         bool keep_alive);

/* --- http_server_log.c --- */

/* civetweb's callback for its messages. Keeps the first one of a start, and logs later ones. */
int http_server_log_message(const struct mg_connection *connection, const char *message);

/* Logs on which addresses the server listens. */
void http_server_log_addresses(const struct http_server *server);

#endif
