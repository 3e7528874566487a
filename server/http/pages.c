/* pages.c - see pages.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/pages.h"

#include <string.h>
#include <strings.h>

#include <weir/weir.h>

static bool pages_is_plain_host(const char *host) {
    return host != NULL && *host != '\0' && strlen(host) < 256 &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == strlen(host);
}

/* Whether the first element of a list, which the proxy next to the client has written, is https or wss. */
static bool pages_is_secure(const char *protocols) {
    size_t size = protocols != NULL ? strcspn(protocols, ", \t") : 0;
    return (size == 5 && strncasecmp(protocols, "https", 5) == 0) ||
           (size == 3 && strncasecmp(protocols, "wss", 3) == 0);
}

/* The scheme by which a client reaches this server. */
static const char *pages_scheme_of(const struct http_request *request, const struct pages_state *state) {
    return state->trusted_proxy && pages_is_secure(http_request_header(request, "X-Forwarded-Proto")) ? "wss"
                                                                                                      : "ws";
}

static const char *pages_host_of(const struct http_request *request, const struct pages_state *state) {
    const char *host = http_request_header(request, "Host"), *forwarded = NULL;
    if (state->trusted_proxy)
        forwarded = http_request_header(request, "X-Forwarded-Host");
    if (pages_is_plain_host(forwarded))
        return forwarded;
    return pages_is_plain_host(host) ? host : "localhost";
}

static void pages_front_page(const struct http_request *request, const struct pages_state *state,
                             struct http_response *response) {
    const char *host = pages_host_of(request, state), *scheme = pages_scheme_of(request, state);
    size_t count = state->pattern_count;
    const char *example = count == 0 ? "/" : state->patterns[0];
    http_respond(response, 200, "This is weir %s, a WebSocket server.\n\nIt serves:\n", WEIR_VERSION);
    for (size_t i = 0; i < count; i++)
        http_append(response, "    %s://%s%s\n", scheme, host, state->patterns[i]);
    if (count == 0)
        http_append(response, "    nothing yet: add a [route /path] section to its ini file\n");
    http_append(response, "\nConnect with Python:\n    python3 -m websockets %s://%s%s\n", scheme, host, example);
    http_append(response,
                "or in a browser's console:\n"
                "    s = new WebSocket('%s://%s%s'); s.onmessage = e => console.log(e.data)\n"
                "    s.send('hello')\n",
                scheme, host, example);
    http_append(response, "\nLoad balancers ask GET /healthz and GET /readyz.\n");
}

/* These answers are for load balancers. */
static void pages_answer_health(const struct pages_state *state, struct http_response *response) {
    (void)state;
    http_respond(response, 200, "ok\n");
}

static void pages_answer_ready(const struct pages_state *state, struct http_response *response) {
    http_respond(response, state->stopping ? 503 : 200, state->stopping ? "stopping\n" : "ready\n");
}

static const struct {
    const char *path;
    void (*answer)(const struct pages_state *state, struct http_response *response);
} probes[] = {{"/healthz", pages_answer_health}, {"/readyz", pages_answer_ready}};

/* A route with exactly that pattern takes precedence. Returns false if the path is not a probe's. */
static bool pages_answer_probe(const char *path, const struct pages_state *state, struct http_response *response) {
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        if (strcmp(probes[i].path, path) != 0 || (state->route != NULL && strcmp(state->route, path) == 0))
            continue;
        probes[i].answer(state, response);
        return true;
    }
    return false;
}

bool pages_lost_upgrade(const struct http_request *request) {
    return http_request_header(request, "Sec-WebSocket-Key") != NULL &&
           http_request_header(request, "Upgrade") == NULL;
}

static void pages_demand_upgrade(const struct http_request *request, const struct pages_state *state,
                                 struct http_response *response) {
    const char *scheme = pages_scheme_of(request, state);
    response->headers = "Upgrade: websocket\r\n";
    if (pages_lost_upgrade(request))
        http_respond(response, 426,
                     "This is a WebSocket handshake without its Upgrade header: a proxy has removed it.\n"
                     "In nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
                     " proxy_set_header Connection \"upgrade\";\n");
    else
        http_respond(response, 426, "This path speaks WebSocket: connect with %s://, not %s://.\n", scheme,
                     strcmp(scheme, "wss") == 0 ? "https" : "http");
}

/* Answers a GET or a HEAD. */
static void pages_answer_read(const struct http_request *request, const struct pages_state *state,
                              struct http_response *response) {
    if (pages_answer_probe(request->path, state, response))
        return;
    if (strcmp(request->path, "/") == 0 && !(state->route != NULL && pages_lost_upgrade(request)))
        pages_front_page(request, state, response);
    else if (state->route != NULL)
        pages_demand_upgrade(request, state, response);
    else
        http_respond(response, 404, "Nothing is here. GET / says what is.\n");
}

void pages_answer(const struct http_request *request, const struct pages_state *state,
                  struct http_response *response) {
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (strcmp(request->path, "*") != 0)
        pages_answer_read(request, state, response);
    if (reads || response->status == 404)
        return;
    bool asks = strcmp(request->method, "OPTIONS") == 0;
    response->headers = "Allow: GET, HEAD, OPTIONS\r\n";
    http_respond(response, asks ? 204 : 405, "%s", asks ? "" : "This is for GET.\n");
}
