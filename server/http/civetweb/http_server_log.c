/* http_server_log.c - the events of the HTTP server itself: see http_server_private.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "server/http/civetweb/http_server_private.h"
#include "server/log/log.h"

int http_server_log_message(const struct mg_connection *connection, const char *message) {
    const struct mg_context *context = mg_get_context(connection);
    struct http_server *server = context == NULL ? NULL : mg_get_user_data(context);
    if (server != NULL && !server->started) {
        if (server->start_error[0] == '\0')
            snprintf(server->start_error, sizeof server->start_error, "%s", message);
        return 1;
    }
    static struct log_limit limit;
    log_event_limited(&limit, LOG_HTTP, LOG_DEBUG, "http", LOG_FIELDS(LOG_TEXT("message", message)));
    return 1;
}

void http_server_log_addresses(const struct http_server *server) {
    for (int i = 0; i < server->listeners.count; i++)
        log_event(LOG_SERVER, LOG_INFO, "listen",
                  LOG_FIELDS(LOG_TEXT("address", server->options.listen[i]),
                             LOG_NUMBER("port", (uint64_t)server->listeners.bound[i].port)));
}
