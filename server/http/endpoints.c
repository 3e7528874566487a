/* endpoints.c - see endpoints.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/endpoints.h"

#include <string.h>

#include <weir/weir.h>

static bool is_plain_host(const char *host) {
    return host != NULL && *host != '\0' && strlen(host) < 256 &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == strlen(host);
}

static void front_page(const struct http_request *request, const struct endpoints_state *state,
                       struct http_response *response) {
    const char *host = http_request_header(request, "Host");
    if (!is_plain_host(host))
        host = "localhost";
    size_t count = state->pattern_count;
    const char *example = count == 0 ? "/" : state->patterns[0];
    http_respond(response, 200, "This is weir %s, a WebSocket server.\n\nIt serves:\n", WEIR_VERSION);
    for (size_t i = 0; i < count; i++)
        http_append(response, "    ws://%s%s\n", host, state->patterns[i]);
    if (count == 0)
        http_append(response, "    nothing yet: add a [route /path] section to its ini file\n");
    http_append(response, "\nConnect with Python:\n    python3 -m websockets ws://%s%s\n", host, example);
    http_append(response,
                "or in a browser's console:\n"
                "    s = new WebSocket('ws://%s%s'); s.onmessage = e => console.log(e.data)\n"
                "    s.send('hello')\n",
                host, example);
    http_append(response, "\nLoad balancers ask GET /healthz and GET /readyz.\n");
}

/* For load balancers. Returns false if the path is neither of theirs, or a route's own. */
static bool answer_probe(const char *path, const struct endpoints_state *state, struct http_response *response) {
    if (state->route != NULL && strcmp(state->route, path) == 0)
        return false;
    if (strcmp(path, "/healthz") == 0)
        http_respond(response, 200, "ok\n");
    else if (strcmp(path, "/readyz") == 0)
        http_respond(response, state->stopping ? 503 : 200, state->stopping ? "stopping\n" : "ready\n");
    else
        return false;
    return true;
}

void endpoints_answer(const struct http_request *request, const struct endpoints_state *state,
                      struct http_response *response) {
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (reads && answer_probe(request->path, state, response))
        return;
    if (strcmp(request->path, "/") == 0 && reads) {
        front_page(request, state, response);
    } else if (state->route != NULL) {
        response->headers = "Upgrade: websocket\r\n";
        http_respond(response, 426, "This path speaks WebSocket: connect with ws://, not http://.\n");
    } else {
        http_respond(response, 404, "Nothing is here. GET / says what is.\n");
    }
}
