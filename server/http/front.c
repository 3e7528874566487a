/* front.c - see front.h. The only file that knows civetweb.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/front.h"

#include <civetweb.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/listeners.h"
#include "server/http/watcher.h"
#include "server/log/log.h"

enum { MESSAGE_MAX = 256, PORTS_MAX = 64, FEATURE_IPV6 = 8, LISTEN_BACKLOG = 4096 };

struct front {
    struct mg_context *civetweb;
    struct service *service;
    struct watcher *watcher;
    struct listeners listeners;
    _Atomic bool started;          /* set before there are threads */
    char start_error[MESSAGE_MAX]; /* what civetweb logged while it started */
};

/* --- Answering --------------------------------------------------------------------------------------------- */

static struct http_request read_request(const struct mg_request_info *info, struct http_header *headers) {
    for (int i = 0; i < info->num_headers; i++)
        headers[i] = (struct http_header){info->http_headers[i].name, info->http_headers[i].value};
    return (struct http_request){
        .method = info->request_method,
        .version = info->http_version,
        .path = info->local_uri_raw == NULL ? "" : info->local_uri_raw,
        .query = info->query_string == NULL ? "" : info->query_string,
        .headers = headers,
        .header_count = (size_t)info->num_headers,
        .content_length = info->content_length,
        .peer_address = info->remote_addr,
        .peer_port = (uint16_t)info->remote_port,
        .local_port = (uint16_t)info->server_port,
    };
}

static void write_response(struct mg_connection *connection, const struct http_response *response, bool with_body) {
    mg_printf(connection,
              "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n%s",
              response->status, http_status_text(response->status),
              response->type == NULL ? "text/plain; charset=utf-8" : response->type, strlen(response->body),
              response->headers == NULL ? "" : response->headers, with_body ? response->body : "");
}

static int init_connection(const struct mg_connection *connection, void **data) {
    (void)data;
    const struct front *front = mg_get_user_data(mg_get_context(connection));
    watcher_wake(front->watcher);
    return 0;
}

static int begin_request(struct mg_connection *connection) {
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct front *front = info->user_data;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_request request = read_request(info, headers);
    struct http_response response = {0};
    unsigned place = watcher_hold(front->watcher, &request);
    service_answer(front->service, &request, &response);
    watcher_release(front->watcher, place);
    if (response.status != 101)
        write_response(connection, &response, strcmp(request.method, "HEAD") != 0);
    return response.status; /* above 0: civetweb does nothing more than close its side */
}

/* A request that civetweb itself could not make sense of. */
static int http_error(struct mg_connection *connection, int status, const char *message) {
    (void)message;
    struct http_response response = {0};
    http_respond(&response, status, "%s\n", http_status_text(status));
    write_response(connection, &response, true);
    return 0;
}

/* --- Its log ----------------------------------------------------------------------------------------------- */

static int log_message(const struct mg_connection *connection, const char *message) {
    const struct mg_context *context = mg_get_context(connection);
    struct front *front = context == NULL ? NULL : mg_get_user_data(context);
    if (front != NULL && !front->started) {
        if (front->start_error[0] == '\0')
            snprintf(front->start_error, sizeof front->start_error, "%s", message);
        return 1;
    }
    char quoted[MESSAGE_MAX];
    log_event(LOG_DEBUG, "http", "message=%s", log_quote(message, quoted, sizeof quoted));
    return 1;
}

/* civetweb keeps the order of the addresses. A port of 0 has become one that was free. */
static void log_addresses(const struct front *front, char *const *listen) {
    struct mg_server_ports ports[PORTS_MAX];
    int count = mg_get_server_ports(front->civetweb, PORTS_MAX, ports);
    for (int i = 0; i < count && listen[i] != NULL; i++)
        log_event(LOG_INFO, "listen", "address=%s port=%d", listen[i], ports[i].port);
}

/* --- Life -------------------------------------------------------------------------------------------------- */

static int set_error(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int set_error(char *error, size_t error_size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, error_size, format, arguments);
    va_end(arguments);
    return -1;
}

/* civetweb's list of addresses; in the heap. */
static char *join_ports(char *const *listen, char *error, size_t error_size) {
    size_t size = 1;
    for (size_t i = 0; listen[i] != NULL; i++)
        size += strlen(listen[i]) + 1;
    char *ports = calloc(1, size), *end = ports;
    for (size_t i = 0; ports != NULL && listen[i] != NULL; i++) {
        if (listen[i][0] == '[' && !mg_check_feature(FEATURE_IPV6)) {
            set_error(error, error_size,
                      "listen: %s is an IPv6 address, but the civetweb on this machine (%s) is "
                      "built without IPv6; listen on an IPv4 address, or use Debian 13 or later",
                      listen[i], mg_version());
            free(ports);
            return NULL;
        }
        end = stpcpy(stpcpy(end, i == 0 ? "" : ","), listen[i]);
    }
    if (ports == NULL)
        set_error(error, error_size, "out of memory");
    return ports;
}

static int start_civetweb(struct front *front, const struct front_options *options, const char *ports, char *error,
                          size_t error_size) {
    char threads[16], queue[16], backlog[16], timeout[24];
    snprintf(threads, sizeof threads, "%u", options->threads);
    snprintf(queue, sizeof queue, "%u", options->connection_queue);
    snprintf(backlog, sizeof backlog, "%d", LISTEN_BACKLOG);
    snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)options->handshake_timeout_ms);
    const char *settings[] = {"listening_ports",
                              ports,
                              "num_threads",
                              threads,
                              "connection_queue",
                              queue,
                              "listen_backlog",
                              backlog,
                              "request_timeout_ms",
                              timeout,
                              "tcp_nodelay",
                              "1",
                              "enable_keep_alive",
                              "no",
                              "decode_url",
                              "no",
                              "enable_directory_listing",
                              "no",
                              "enable_auth_domain_check",
                              "no",
                              NULL};
    const struct mg_callbacks callbacks = {.init_connection = init_connection,
                                           .begin_request = begin_request,
                                           .http_error = http_error,
                                           .log_message = log_message};
    struct mg_init_data init = {.callbacks = &callbacks, .user_data = front, .configuration_options = settings};
    char text[MESSAGE_MAX] = "";
    struct mg_error_data failure = {.text = text, .text_buffer_size = sizeof text};
    front->civetweb = mg_start2(&init, &failure);
    if (front->civetweb != NULL)
        return 0;
    return set_error(error, error_size, "listen: %s", front->start_error[0] != '\0' ? front->start_error : text);
}

static struct watcher *create_watcher(const struct front_options *options, struct service *service) {
    const struct watcher_options watched = {
        .adoption = &service->adoption,
        .limits = {.per_address = options->handshakes_per_ip,
                   .timeout_ms = options->handshake_timeout_ms,
                   .threads = options->threads},
        .trusted_proxies = service->trusted_proxies,
        .closed = &service->core->counters.half_open_closed,
    };
    return watcher_create(&watched);
}

static int start_listening(struct front *front, const struct front_options *options, char *error,
                           size_t error_size) {
    struct listeners others;
    listeners_find(&others, front->service->adoption.base, NULL);
    char *ports = join_ports(options->listen, error, error_size);
    int result = ports == NULL ? -1 : start_civetweb(front, options, ports, error, error_size);
    free(ports);
    if (result == 0)
        listeners_find(&front->listeners, front->service->adoption.base, &others);
    return result;
}

struct front *front_start(const struct front_options *options, struct service *service, char *error,
                          size_t error_size) {
    struct front *front = calloc(1, sizeof *front);
    if (front == NULL || (front->watcher = create_watcher(options, service)) == NULL) {
        free(front);
        set_error(error, error_size, "out of memory");
        return NULL;
    }
    front->service = service;
    mg_init_library(0);
    if (start_listening(front, options, error, error_size) != 0)
        goto not_listening;
    if (watcher_start(front->watcher, &front->listeners) != 0) {
        set_error(error, error_size, "the watcher of the handshakes: %s", strerror(errno));
        goto not_watching;
    }
    front->started = true;
    log_addresses(front, options->listen);
    return front;

not_watching:
    listeners_shut(&front->listeners);
    mg_stop(front->civetweb);
not_listening:
    mg_exit_library();
    watcher_destroy(front->watcher);
    free(front);
    return NULL;
}

/* Unfinished requests would hold up civetweb's threads, which look for a stop every two seconds only. */
void front_stop(struct front *front) {
    if (front == NULL)
        return;
    watcher_stop(front->watcher);
    listeners_shut(&front->listeners);
    watcher_close_all(front->watcher);
    mg_stop(front->civetweb);
    mg_exit_library();
    watcher_destroy(front->watcher);
    free(front);
}
