/* httpd.c - see httpd.h. The only file that knows civetweb.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/httpd.h"

#include <civetweb.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/request_guard.h"
#include "server/log/log.h"

enum { MESSAGE_MAX = 256, PORTS_MAX = 64, FEATURE_IPV6 = 8, LISTEN_BACKLOG = 4096 };
enum { THREAD_OF_REQUESTS = 1 }; /* for civetweb's init_thread */
enum { WRITE_AT_ONCE = 8192, LINGER_MAX = 262144, LINK_MAX = 1024, LINK_ORIGIN_MAX = 80 };

struct httpd {
    struct mg_context *civetweb;
    struct httpd_options options;
    struct listeners listeners;
    struct request_guard *guard;   /* NULL: connections are not kept */
    _Atomic unsigned busy;         /* threads that have a connection */
    _Atomic bool started;          /* set before there are threads */
    char start_error[MESSAGE_MAX]; /* what civetweb logged while it started */
};

/* --- Bodies ------------------------------------------------------------------------------------------------- */

/* A request's body, with the connection that it comes from. */
struct incoming {
    struct http_body body;
    struct httpd *httpd;
    struct mg_connection *connection;
    unsigned place;       /* the guard's */
    bool awaits_continue; /* the client sends its body only after a 100 (RFC 7231, 5.1.1) */
    bool begun;
    long long taken;
};

static long read_body(struct http_body *body, void *bytes, size_t size) {
    struct incoming *incoming = (struct incoming *)body; /* its first member */
    size_t read = 0;
    if (!incoming->begun)
        request_guard_phase(incoming->httpd->guard, incoming->place, PHASE_BODY);
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
        bool cut = (size_t)got < wanted; /* the end of the chunks; of anything else it is one too early */
        if (cut && body->length >= 0 && incoming->taken < body->length)
            break;
        body->ended = body->length < 0 ? cut : incoming->taken == body->length;
    }
    if (body->ended)
        request_guard_phase(incoming->httpd->guard, incoming->place, PHASE_WORK);
    return (long)read;
}

static bool is_chunked(const struct http_request *request) {
    const char *coding = http_request_header(request, "Transfer-Encoding");
    return coding != NULL && strcasecmp(coding, "chunked") == 0;
}

/* One of the two headers that say where a body ends, once, and well written: whoever stands before us must read
 * them as we do (RFC 7230, 3.3.3). Returns 0, or the status that says what is wrong. */
static int framing_error(const struct http_request *request) {
    size_t lengths = http_request_count(request, "Content-Length");
    size_t codings = http_request_count(request, "Transfer-Encoding");
    const char *length = lengths == 0 ? "0" : http_request_header(request, "Content-Length");
    if (request->header_count >= HTTP_HEADERS_MAX) /* the library has not looked at those behind */
        return 431;
    bool right = lengths + codings <= 1 && codings == is_chunked(request) && *length != '\0' &&
                 strspn(length, "0123456789") == strlen(length);
    return right ? 0 : 400;
}

static bool announces_body(const struct http_request *request) {
    return request->content_length > 0 || is_chunked(request);
}

static struct incoming read_later(struct httpd *httpd, struct mg_connection *connection, unsigned place,
                                  const struct http_request *request) {
    const char *expect = http_request_header(request, "Expect");
    return (struct incoming){
        .body = {.read = read_body, .length = is_chunked(request) ? -1 : request->content_length},
        .httpd = httpd,
        .connection = connection,
        .place = place,
        .awaits_continue =
            expect != NULL && strcasecmp(expect, "100-continue") == 0 && strcmp(request->version, "1.1") == 0,
    };
}

/* Many clients read the answer only when they have sent their body, and a connection that is closed before loses
 * it. So a part of the rest is taken, for as long as the guard allows. */
__attribute__((noinline)) static void linger(struct incoming *incoming) {
    char bytes[4096];
    if (incoming->awaits_continue)
        return;
    request_guard_phase(incoming->httpd->guard, incoming->place, PHASE_LINGER);
    for (size_t left = LINGER_MAX; left > 0; left -= sizeof bytes)
        if (mg_read(incoming->connection, bytes, sizeof bytes) < (int)sizeof bytes)
            return;
}

/* --- Answering --------------------------------------------------------------------------------------------- */

/* civetweb tells our address in the link to the request alone: "ws://ADDRESS:PORT/...", for it does not check
 * the domain. Returns NULL if the link could be too long, each byte of the path being escaped. */
static const char *read_local_address(const struct mg_connection *connection, const struct mg_request_info *info,
                                      char link[LINK_MAX]) {
    size_t path_size = info->local_uri == NULL ? LINK_MAX : strlen(info->local_uri);
    if (3 * path_size >= LINK_MAX - LINK_ORIGIN_MAX || mg_get_request_link(connection, link, LINK_MAX) < 0)
        return NULL;
    char *address = strstr(link, "://");
    if (address == NULL)
        return NULL;
    address += 3;
    bool v6 = *address == '[';
    address += v6;
    address[strcspn(address, v6 ? "]" : ":/")] = '\0';
    return address;
}

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

/* Not with a body that has not been read: civetweb would read it to its end before the next request; nor with
 * fields behind one, which it does not read. Nor on the last thread: whoever keeps the others may not keep
 * everybody out. */
static bool stays_open(const struct httpd *httpd, const struct http_request *request) {
    bool rest = request->body != NULL && (!request->body->ended || http_request_header(request, "Trailer") != NULL);
    if (!httpd->options.keep_alive || httpd->busy >= httpd->options.threads || rest ||
        strcmp(request->version, "1.1") != 0)
        return false;
    const char *wish = http_request_header(request, "Connection");
    return wish == NULL || strcasecmp(wish, "keep-alive") == 0;
}

static bool write_all(struct mg_connection *connection, const char *bytes, size_t size) {
    while (size > 0) {
        size_t part = size < INT_MAX ? size : INT_MAX;
        if (mg_write(connection, bytes, part) != (int)part)
            return false;
        bytes += part;
        size -= part;
    }
    return true;
}

/* In one piece if it is short. Returns whether all of it was taken. A function of its own, so that the memory for
 * that is not part of the stack below which all upgrades are answered. */
__attribute__((noinline)) static bool write_response(struct mg_connection *connection,
                                                     const struct http_response *response, bool with_body,
                                                     bool keep_alive) {
    char message[WRITE_AT_ONCE];
    const char *body = response->long_body == NULL ? response->body : response->long_body;
    size_t size = response->long_body == NULL ? strlen(body) : response->long_size;
    int head = snprintf(message, sizeof message,
                        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: %s\r\n\r\n",
                        response->status, http_status_text(response->status),
                        response->type == NULL ? "text/plain; charset=utf-8" : response->type, size,
                        response->headers == NULL ? "" : response->headers, keep_alive ? "keep-alive" : "close");
    size_t used = (size_t)head;
    if (!with_body)
        return write_all(connection, message, used);
    if (size > sizeof message - used)
        return write_all(connection, message, used) && write_all(connection, body, size);
    memcpy(message + used, body, size);
    return write_all(connection, message, used + size);
}

/* --- Threads ------------------------------------------------------------------------------------------------ */

/* For each connection that it has accepted civetweb wakes a thread, which would take the processor from the one
 * that accepts, wait for the mutex that this holds, and find one connection. As batch threads they let it go on: it
 * accepts all who wait, and they answer one after the other. */
static void *init_thread(const struct mg_context *context, int type) {
    const struct sched_param parameters = {0};
    (void)context;
    if (type == THREAD_OF_REQUESTS)
        pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
    return NULL;
}

/* --- Connections -------------------------------------------------------------------------------------------- */

static int init_connection(const struct mg_connection *connection, void **data) {
    (void)data;
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    httpd->busy++;
    if (httpd->guard != NULL)
        request_guard_begin(httpd->guard);
    if (httpd->options.accepted != NULL)
        httpd->options.accepted(httpd->options.context);
    return 0;
}

/* The guard's place of a connection is its data, from 1 on. */
static unsigned place_of(struct httpd *httpd, struct mg_connection *connection,
                         const struct http_request *request) {
    uintptr_t place = (uintptr_t)mg_get_user_connection_data(connection);
    if (place == 0) {
        place =
            request_guard_enter(httpd->guard, request->peer_address, request->peer_port, request->local_port) + 1;
        mg_set_user_connection_data(connection, (void *)place);
    }
    return (unsigned)(place - 1);
}

static void connection_closes(const struct mg_connection *connection) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    uintptr_t place = (uintptr_t)mg_get_user_connection_data(connection);
    if (place != 0)
        request_guard_leave(httpd->guard, (unsigned)(place - 1));
}

static void connection_closed(const struct mg_connection *connection) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    if (httpd->guard != NULL)
        request_guard_end(httpd->guard);
    httpd->busy--;
}

/* On a connection that ends with this request. */
static int answer_once(struct httpd *httpd, struct mg_connection *connection, const struct http_request *request) {
    struct http_response response = {0};
    httpd->options.answer(httpd->options.context, request, &response);
    if (response.status != 101) {
        mg_disable_connection_keep_alive(connection);
        write_response(connection, &response, strcmp(request->method, "HEAD") != 0, false);
    }
    free(response.long_body);
    return response.status; /* above 0: civetweb does nothing more */
}

static void set_error(const struct httpd *httpd, int status, const char *target, struct http_response *response) {
    http_respond(response, status, "%s\n", http_status_text(status));
    if (httpd->options.error != NULL)
        httpd->options.error(httpd->options.context, target, response);
}

/* On one that may be kept. civetweb goes by rules of its own there, and would wait for another request. */
static int answer_guarded(struct httpd *httpd, struct mg_connection *connection, struct http_request *request) {
    struct http_response response = {0};
    unsigned place = place_of(httpd, connection, request);
    struct incoming incoming = read_later(httpd, connection, place, request);
    int error = framing_error(request);
    request_guard_phase(httpd->guard, place, PHASE_WORK);
    request->body = error == 0 && announces_body(request) ? &incoming.body : NULL;
    if (error == 0)
        httpd->options.answer(httpd->options.context, request, &response);
    else
        set_error(httpd, error, request->path, &response);
    bool stays = error == 0 && stays_open(httpd, request);
    request_guard_phase(httpd->guard, place, PHASE_ANSWER);
    bool written = write_response(connection, &response, strcmp(request->method, "HEAD") != 0, stays);
    if (!stays || !written)
        mg_disable_connection_keep_alive(connection);
    if (written && request->body != NULL && !request->body->ended)
        linger(&incoming);
    request_guard_phase(httpd->guard, place, PHASE_HEAD);
    free(response.long_body);
    return response.status;
}

static int begin_request(struct mg_connection *connection) {
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct httpd *httpd = info->user_data;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_request request = read_request(info, headers);
    char link[LINK_MAX];
    request.local_address = read_local_address(connection, info, link);
    return httpd->guard == NULL ? answer_once(httpd, connection, &request)
                                : answer_guarded(httpd, connection, &request);
}

/* civetweb says 400 of a method that it does not know, before it looks at the headers. */
static bool is_unknown_method(const struct mg_request_info *info) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", NULL};
    if (info->request_method == NULL || info->http_version == NULL || info->num_headers != 0 ||
        (strcmp(info->http_version, "1.1") != 0 && strcmp(info->http_version, "1.0") != 0))
        return false;
    for (size_t i = 0; known[i] != NULL; i++)
        if (strcmp(known[i], info->request_method) == 0)
            return false;
    return true;
}

/* A request that civetweb itself could not make sense of. */
static int http_error(struct mg_connection *connection, int status, const char *message) {
    (void)message;
    const struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http_response response = {0};
    bool unknown = httpd->guard != NULL && status == 400 && info != NULL && is_unknown_method(info);
    set_error(httpd, unknown ? 501 : status, info == NULL ? NULL : info->request_uri, &response);
    mg_disable_connection_keep_alive(connection);
    write_response(connection, &response, true, false);
    free(response.long_body);
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

static int fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t error_size, const char *format, ...) {
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
            fail(error, error_size,
                 "listen: %s is an IPv6 address, but the civetweb on this machine (%s) is "
                 "built without IPv6; listen on an IPv4 address, or use Debian 13 or later",
                 listen[i], mg_version());
            free(ports);
            return NULL;
        }
        end = stpcpy(stpcpy(end, i == 0 ? "" : ","), listen[i]);
    }
    if (ports == NULL)
        fail(error, error_size, "out of memory");
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
    const struct mg_callbacks callbacks = {.init_thread = init_thread,
                                           .init_connection = init_connection,
                                           .begin_request = begin_request,
                                           .connection_close = connection_closes,
                                           .connection_closed = connection_closed,
                                           .http_error = http_error,
                                           .log_message = log_message};
    struct mg_init_data init = {.callbacks = &callbacks, .user_data = httpd, .configuration_options = settings};
    char text[MESSAGE_MAX] = "";
    struct mg_error_data failure = {.text = text, .text_buffer_size = sizeof text};
    httpd->civetweb = mg_start2(&init, &failure);
    if (httpd->civetweb != NULL)
        return 0;
    return fail(error, error_size, "listen: %s", httpd->start_error[0] != '\0' ? httpd->start_error : text);
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

static int start_guard(struct httpd *httpd, char *error, size_t error_size) {
    const struct request_guard_options options = {.listeners = &httpd->listeners,
                                                  .descriptors_below = httpd->options.descriptors_below,
                                                  .threads = httpd->options.threads};
    if (!httpd->options.keep_alive || (httpd->guard = request_guard_create(&options)) != NULL)
        return 0;
    return fail(error, error_size, "the guard of the requests: %s", strerror(errno));
}

struct httpd *httpd_start(const struct httpd_options *options, char *error, size_t error_size) {
    struct httpd *httpd = calloc(1, sizeof *httpd);
    if (httpd == NULL) {
        fail(error, error_size, "out of memory");
        return NULL;
    }
    httpd->options = *options;
    mg_init_library(0);
    if (start_guard(httpd, error, error_size) != 0)
        goto no_guard;
    if (start_listening(httpd, error, error_size) != 0)
        goto not_listening;
    if (httpd->guard != NULL && request_guard_start(httpd->guard) != 0) {
        fail(error, error_size, "the guard of the requests: %s", strerror(errno));
        goto not_guarded;
    }
    httpd->started = true;
    log_addresses(httpd);
    return httpd;

not_guarded:
    mg_stop(httpd->civetweb);
not_listening:
    request_guard_destroy(httpd->guard);
no_guard:
    mg_exit_library();
    free(httpd);
    return NULL;
}

const struct listeners *httpd_listeners(const struct httpd *httpd) {
    return &httpd->listeners;
}

void httpd_shut(struct httpd *httpd) {
    listeners_shut(&httpd->listeners);
}

void httpd_stop(struct httpd *httpd) {
    request_guard_stop(httpd->guard);
    mg_stop(httpd->civetweb);
    request_guard_destroy(httpd->guard);
    mg_exit_library();
    free(httpd);
}
