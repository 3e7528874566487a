/* public_listener.c - see public_listener.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/public_listener.h"

static void public_listener_answer(void *context, const struct http_request *request,
                                   struct http_response *response) {
    dispatch_answer(context, request, response);
}

/* What is not an HTTP request is not a handshake either, and counts as a refused one. */
static void public_listener_count_error(void *context, const char *target, const char *why,
                                        struct http_response *response) {
    (void)target, (void)why, (void)response;
    const struct dispatch *dispatch = context;
    atomic_fetch_add(&dispatch->core->counters.refused[REFUSED_HANDSHAKE], 1);
}

struct http_server *public_listener_start(const struct config *config, unsigned queue, int base,
                                          struct dispatch *dispatch, char *error, size_t error_size) {
    struct counters *counters = &dispatch->core->counters;
    const struct http_server_options options = {.listen = config->server.listen,
                                                .threads = config->server.http_threads,
                                                .connection_queue = queue,
                                                .head_timeout_ms = config->websocket.handshake_timeout_ms,
                                                .max_half_open_per_ip = config->server.max_half_open_per_ip,
                                                .trusted_proxies = config->server.trusted_proxies,
                                                .base = base,
                                                .half_open_closed = &counters->half_open_closed,
                                                .without_descriptor = &counters->refused[REFUSED_RESOURCES],
                                                .answer = public_listener_answer,
                                                .error = public_listener_count_error,
                                                .context = dispatch};
    return http_server_start(&options, error, error_size);
}
