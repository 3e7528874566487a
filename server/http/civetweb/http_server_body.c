/* http_server_body.c - reads the body of a request: see http_server_private.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "server/http/civetweb/http_server_private.h"
#include "server/http/request_check.h"

enum { LINGER_MAX = 262144 };

static long body_read(struct http_body *body, void *bytes, size_t size) {
    struct http_server_body *incoming = (struct http_server_body *)body; /* `body` is its first member */
    size_t read = 0;
    if (!incoming->begun)
        slow_request_reaper_phase(incoming->server->slow_request_reaper, PHASE_BODY);
    incoming->begun = true;
    if (incoming->awaits_continue)
        mg_write(incoming->connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    incoming->awaits_continue = false;
    while (read < size && !body->ended) {
        size_t wanted = size - read < INT_MAX ? size - read : INT_MAX;
        int got = mg_read(incoming->connection, (char *)bytes + read, wanted);
        if (got < 0)
            return -1;
        read += (size_t)got;
        incoming->taken += got;
        bool cut = (size_t)got < wanted; /* right at the end of the chunks; for other bodies it is too early */
        if (cut && body->length >= 0 && incoming->taken < body->length)
            break;
        body->ended = body->length < 0 ? cut : incoming->taken == body->length;
    }
    if (body->ended)
        slow_request_reaper_phase(incoming->server->slow_request_reaper, PHASE_WORK);
    return (long)read;
}

void http_server_body_announce(struct http_server_body *body, struct http_server *server,
                               struct mg_connection *connection, struct http_request *request) {
    const char *expect = http_request_header(request, "Expect");
    bool chunked = request_is_chunked(request);
    *body = (struct http_server_body){
        .body = {.read = body_read, .length = chunked ? -1 : request->content_length},
        .server = server,
        .connection = connection,
        .awaits_continue =
            expect != NULL && strcasecmp(expect, "100-continue") == 0 && strcmp(request->version, "1.1") == 0,
    };
    request->body = chunked || request->content_length > 0 ? &body->body : NULL;
}

/* It goes on for as long as the slow-request reaper allows. */
void http_server_body_linger(struct http_server_body *body) {
    char bytes[4096];
    if (body->awaits_continue)
        return;
    slow_request_reaper_phase(body->server->slow_request_reaper, PHASE_LINGER);
    for (size_t left = LINGER_MAX; left > 0; left -= sizeof bytes)
        if (mg_read(body->connection, bytes, sizeof bytes) < (int)sizeof bytes)
            return;
}
