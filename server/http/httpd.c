/* httpd.c - see httpd.h. The only file that knows civetweb.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/httpd.h"

#include <civetweb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log/log.h"

enum { MESSAGE_MAX = 256, PORTS_MAX = 64, FEATURE_IPV6 = 8, LISTEN_BACKLOG = 4096 };

struct httpd {
    struct mg_context *civetweb;
    struct httpd_options options;
    struct listeners listeners;
    _Atomic unsigned busy;         /* threads that have a connection */
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

/* Not with a body that nobody has read: civetweb would read it to its end before the next request. Nor on the last
 * thread: whoever keeps the others may not keep everybody out. */
static bool stays_open(const struct httpd *httpd, const struct http_request *request) {
    if (!httpd->options.keep_alive || httpd->busy >= httpd->options.threads || request->content_length > 0 ||
        strcmp(request->version, "1.1") != 0 || http_request_header(request, "Transfer-Encoding") != NULL)
        return false;
    const char *wish = http_request_header(request, "Connection");
    return wish == NULL || strcasecmp(wish, "keep-alive") == 0;
}

static void write_response(struct mg_connection *connection, const struct http_response *response, bool with_body,
                           bool keep_alive) {
    const char *body = response->long_body == NULL ? response->body : response->long_body;
    size_t size = strlen(body);
    mg_printf(connection, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: %s\r\n\r\n",
              response->status, http_status_text(response->status),
              response->type == NULL ? "text/plain; charset=utf-8" : response->type, size,
              response->headers == NULL ? "" : response->headers, keep_alive ? "keep-alive" : "close");
    if (with_body)
        mg_write(connection, body, size);
}

static int init_connection(const struct mg_connection *connection, void **data) {
    (void)data;
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    httpd->busy++;
    if (httpd->options.accepted != NULL)
        httpd->options.accepted(httpd->options.context);
    return 0;
}

static void connection_closed(const struct mg_connection *connection) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    httpd->busy--;
}

static int begin_request(struct mg_connection *connection) {
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct httpd *httpd = info->user_data;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_request request = read_request(info, headers);
    struct http_response response = {0};
    httpd->options.answer(httpd->options.context, &request, &response);
    if (response.status != 101) {
        bool stays = stays_open(httpd, &request);
        if (!stays) /* civetweb goes by rules of its own, and would wait for another */
            mg_disable_connection_keep_alive(connection);
        write_response(connection, &response, strcmp(request.method, "HEAD") != 0, stays);
    }
    free(response.long_body);
    return response.status; /* above 0: civetweb does nothing more */
}

/* A request that civetweb itself could not make sense of. */
static int http_error(struct mg_connection *connection, int status, const char *message) {
    (void)message;
    struct http_response response = {0};
    http_respond(&response, status, "%s\n", http_status_text(status));
    mg_disable_connection_keep_alive(connection);
    write_response(connection, &response, true, false);
    return 0;
}

/* --- Its log ----------------------------------------------------------------------------------------------- */

static int log_message(const struct mg_connection *connection, const char *message) {
    const struct mg_context *context = mg_get_context(connection);
    struct httpd *httpd = context == NULL ? NULL : mg_get_user_data(context);
    if (httpd != NULL && !httpd->started) {
        if (httpd->start_error[0] == '\0')
            snprintf(httpd->start_error, sizeof httpd->start_error, "%s", message);
        return 1;
    }
    static struct log_limit limit;
    log_event_limited(&limit, LOG_HTTP, LOG_DEBUG, "http", LOG_FIELDS(LOG_TEXT("message", message)));
    return 1;
}

/* civetweb keeps the order of the addresses. A port of 0 has become one that was free. */
static void log_addresses(const struct httpd *httpd) {
    struct mg_server_ports ports[PORTS_MAX];
    int count = mg_get_server_ports(httpd->civetweb, PORTS_MAX, ports);
    for (int i = 0; i < count && httpd->options.listen[i] != NULL; i++)
        log_event(
            LOG_SERVER, LOG_INFO, "listen",
            LOG_FIELDS(LOG_TEXT("address", httpd->options.listen[i]), LOG_NUMBER("port", (uint64_t)ports[i].port)));
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

static int start_civetweb(struct httpd *httpd, const char *ports, char *error, size_t error_size) {
    char threads[16], queue[16], backlog[16], timeout[24];
    snprintf(threads, sizeof threads, "%u", httpd->options.threads);
    snprintf(queue, sizeof queue, "%u", httpd->options.connection_queue);
    snprintf(backlog, sizeof backlog, "%d", LISTEN_BACKLOG);
    snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)httpd->options.timeout_ms);
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
                              httpd->options.keep_alive ? "yes" : "no",
                              "keep_alive_timeout_ms",
                              timeout,
                              "decode_url",
                              "no",
                              "enable_directory_listing",
                              "no",
                              "enable_auth_domain_check",
                              "no",
                              NULL};
    const struct mg_callbacks callbacks = {.init_connection = init_connection,
                                           .begin_request = begin_request,
                                           .connection_closed = connection_closed,
                                           .http_error = http_error,
                                           .log_message = log_message};
    struct mg_init_data init = {.callbacks = &callbacks, .user_data = httpd, .configuration_options = settings};
    char text[MESSAGE_MAX] = "";
    struct mg_error_data failure = {.text = text, .text_buffer_size = sizeof text};
    httpd->civetweb = mg_start2(&init, &failure);
    if (httpd->civetweb != NULL)
        return 0;
    return set_error(error, error_size, "listen: %s", httpd->start_error[0] != '\0' ? httpd->start_error : text);
}

static int start_listening(struct httpd *httpd, char *error, size_t error_size) {
    struct listeners others;
    listeners_find(&others, httpd->options.descriptors_below, NULL);
    char *ports = join_ports(httpd->options.listen, error, error_size);
    int result = ports == NULL ? -1 : start_civetweb(httpd, ports, error, error_size);
    free(ports);
    if (result == 0)
        listeners_find(&httpd->listeners, httpd->options.descriptors_below, &others);
    return result;
}

struct httpd *httpd_start(const struct httpd_options *options, char *error, size_t error_size) {
    struct httpd *httpd = calloc(1, sizeof *httpd);
    if (httpd == NULL) {
        set_error(error, error_size, "out of memory");
        return NULL;
    }
    httpd->options = *options;
    mg_init_library(0);
    if (start_listening(httpd, error, error_size) != 0) {
        mg_exit_library();
        free(httpd);
        return NULL;
    }
    httpd->started = true;
    log_addresses(httpd);
    return httpd;
}

const struct listeners *httpd_listeners(const struct httpd *httpd) {
    return &httpd->listeners;
}

void httpd_shut(struct httpd *httpd) {
    listeners_shut(&httpd->listeners);
}

void httpd_stop(struct httpd *httpd) {
    mg_stop(httpd->civetweb);
    mg_exit_library();
    free(httpd);
}
