/* http_server_answer.c - has a request answered: see http_server_private.h. The answer is sent, or the handler of
 * the request has taken the socket.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <strings.h>

#include "server/http/civetweb/http_server_private.h"

/* --- Without keep-alive ------------------------------------------------------------------------------------- */

struct answer_socket {
    struct http_socket socket;
    const struct http_server *server;
};

static enum http_socket_result answer_take(struct http_socket *socket, const struct http_request *request, int *fd,
                                           const char **why) {
    const struct answer_socket *from = (struct answer_socket *)socket; /* `socket` is its first member */
    const struct adoption_ends ends = {request->peer_address, request->local_address, request->peer_port,
                                       request->local_port, request->head_size};
    enum adoption_result result = adoption_take(&from->server->adoption, &ends, fd);
    *why = adoption_describe(result);
    return result == ADOPTION_DONE    ? HTTP_SOCKET_TAKEN
           : result == ADOPTION_EARLY ? HTTP_SOCKET_EARLY
           : result == ADOPTION_GONE  ? HTTP_SOCKET_GONE
                                      : HTTP_SOCKET_FAILED;
}

/* Answers on a connection that ends with this request. */
static int answer_once(struct http_server *server, struct mg_connection *connection, struct http_request *request) {
    struct http_response response = {0};
    struct answer_socket socket = {.socket = {.take = answer_take}, .server = server};
    request->socket = &socket.socket; /* cppcheck-suppress autoVariables; for this call alone */
    server->options.answer(server->options.context, request, &response);
    request->socket = NULL;
    if (response.status != 101) {
        mg_disable_connection_keep_alive(connection);
        http_server_respond(connection, &response, strcmp(request->method, "HEAD") != 0, false);
    }
    http_response_release(&response);
    return response.status; /* above 0: civetweb does nothing more */
}

/* --- With keep-alive ---------------------------------------------------------------------------------------- */

/* Whether the connection is kept. It is not kept with an unread body, which civetweb would read to its end before
 * the next request, nor with trailer fields, which civetweb does not read. It is not kept on the last free thread
 * either, so that clients that keep the other threads cannot keep all others out. */
static bool answer_keeps(const struct http_server *server, const struct http_request *request) {
    bool rest = request->body != NULL && (!request->body->ended || http_request_header(request, "Trailer") != NULL);
    if (server->busy >= server->options.threads || rest || strcmp(request->version, "1.1") != 0)
        return false;
    const char *connection = http_request_header(request, "Connection");
    return connection == NULL || strcasecmp(connection, "keep-alive") == 0;
}

/* Answers on a connection that may be kept. civetweb decides that by its own rules, and would wait for another
 * request. */
static int answer_again(struct http_server *server, struct mg_connection *connection, struct http_request *request,
                        uint64_t *taken) {
    struct http_response response = {0};
    struct http_server_body body;
    http_server_body_announce(&body, server, connection, request);
    server->options.answer(server->options.context, request, &response);
    bool stays = answer_keeps(server, request);
    slow_request_reaper_phase(server->slow_request_reaper, PHASE_ANSWER);
    bool written = http_server_respond(connection, &response, strcmp(request->method, "HEAD") != 0, stays);
    if (!stays || !written)
        mg_disable_connection_keep_alive(connection);
    if (written && request->body != NULL && !request->body->ended)
        http_server_body_linger(&body);
    slow_request_reaper_phase(server->slow_request_reaper, PHASE_HEAD);
    *taken += request->head_size + (uint64_t)body.taken;
    http_response_release(&response);
    return response.status;
}

int http_server_answer(struct http_server *server, struct mg_connection *connection, struct http_request *request,
                       uint64_t *taken) {
    return server->options.keep_alive ? answer_again(server, connection, request, taken)
                                      : answer_once(server, connection, request);
}
