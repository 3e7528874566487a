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

static void front_page(const struct http_request *request, const char *const *patterns, size_t count,
                       struct http_response *response) {
    const char *host = http_request_header(request, "Host");
    if (!is_plain_host(host))
        host = "localhost";
    const char *example = count == 0 ? "/" : patterns[0];
    http_respond(response, 200, "This is weir %s, a WebSocket server.\n\nIt serves:\n", WEIR_VERSION);
    for (size_t i = 0; i < count; i++)
        http_append(response, "    ws://%s%s\n", host, patterns[i]);
    if (count == 0)
        http_append(response, "    nothing yet: add a [route /path] section to its ini file\n");
    http_append(response, "\nConnect with Python:\n    python3 -m websockets ws://%s%s\n", host, example);
    http_append(response,
                "or in a browser's console:\n"
                "    s = new WebSocket('ws://%s%s'); s.onmessage = e => console.log(e.data)\n"
                "    s.send('hello')\n",
                host, example);
}

void endpoints_answer(const struct http_request *request, const char *const *patterns, size_t pattern_count,
                      bool is_route, struct http_response *response) {
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (strcmp(request->path, "/") == 0 && reads) {
        front_page(request, patterns, pattern_count, response);
    } else if (is_route) {
        response->headers = "Upgrade: websocket\r\n";
        http_respond(response, 426, "This path speaks WebSocket: connect with ws://, not http://.\n");
    } else {
        http_respond(response, 404, "Nothing is here. GET / says what is.\n");
    }
}
