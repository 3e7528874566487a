/* httpd.c - see httpd.h. Only this file and httpd_request.c know civetweb.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/httpd.h"

#include <civetweb.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/core/crash.h"
#include "server/http/civetweb/httpd_request.h"
#include "server/http/civetweb/peer.h"
#include "server/http/civetweb/request_guard.h"
#include "server/http/request_check.h"
#include "server/log/log.h"

enum { MESSAGE_MAX = 256, PORTS_MAX = LISTENERS_MAX, FEATURE_IPV6 = 8, LISTEN_BACKLOG = 4096 };
enum { THREAD_OF_REQUESTS = 1 }; /* the type that civetweb's init_thread gets for a thread that handles requests */
enum { THREADS_MS = 1000, CLIENTS_MS = 1000 };
enum { WRITE_AT_ONCE = 8192, LINGER_MAX = 262144, LINK_MAX = 1024, LINK_ORIGIN_MAX = 80 };

/* Two threads must not start or stop civetweb at once. All its contexts share one count of users, one thread key
 * and one mutex, which the first context makes and the last one deletes. */
static pthread_mutex_t civetweb_life = PTHREAD_MUTEX_INITIALIZER;

struct httpd {
    struct mg_context *civetweb;
    struct httpd_options options;
    struct listeners listeners;
    struct request_guard *guard;   /* NULL: connections are not kept */
    _Atomic unsigned busy;         /* threads that have a connection */
    _Atomic bool started;          /* set before there are threads */
    _Atomic unsigned begun;        /* threads of the library that have begun */
    char start_error[MESSAGE_MAX]; /* what civetweb logged while it started */
};

/* What a thread knows of the connection that it handles. */
struct visit {
    uint64_t taken; /* bytes that earlier requests of the connection have used up */
    bool failed;    /* http_error() has answered, and nothing more will come */
};
static _Thread_local struct visit visit;

/* --- Bodies ------------------------------------------------------------------------------------------------- */

/* A request's body, with the connection that it comes from. */
struct incoming {
    struct http_body body;
    struct httpd *httpd;
    struct mg_connection *connection;
    bool awaits_continue; /* the client sends its body only after a 100 (RFC 7231, 5.1.1) */
    bool begun;
    long long taken;
};

static long read_body(struct http_body *body, void *bytes, size_t size) {
    struct incoming *incoming = (struct incoming *)body; /* `body` is its first member */
    size_t read = 0;
    if (!incoming->begun)
        request_guard_phase(incoming->httpd->guard, PHASE_BODY);
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
        request_guard_phase(incoming->httpd->guard, PHASE_WORK);
    return (long)read;
}

static bool announces_body(const struct http_request *request) {
    return request->content_length > 0 || request_is_chunked(request);
}

static struct incoming read_later(struct httpd *httpd, struct mg_connection *connection,
                                  const struct http_request *request) {
    const char *expect = http_request_header(request, "Expect");
    return (struct incoming){
        .body = {.read = read_body, .length = request_is_chunked(request) ? -1 : request->content_length},
        .httpd = httpd,
        .connection = connection,
        .awaits_continue =
            expect != NULL && strcasecmp(expect, "100-continue") == 0 && strcmp(request->version, "1.1") == 0,
    };
}

/* Many clients read the answer only after they have sent their body, and lose it if the connection is closed
 * before. So this reads part of the rest, for as long as the guard allows. */
__attribute__((noinline)) static void linger(struct incoming *incoming) {
    char bytes[4096];
    if (incoming->awaits_continue)
        return;
    request_guard_phase(incoming->httpd->guard, PHASE_LINGER);
    for (size_t left = LINGER_MAX; left > 0; left -= sizeof bytes)
        if (mg_read(incoming->connection, bytes, sizeof bytes) < (int)sizeof bytes)
            return;
}

/* --- Answering --------------------------------------------------------------------------------------------- */

/* civetweb gives our address only in the link to the request, "ws://ADDRESS:PORT/...", since it does not check the
 * domain. Returns NULL if the link could be too long once each byte of the path is escaped. */
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

/* Whether the connection is kept. It is not kept with an unread body, which civetweb would read to its end before
 * the next request, nor with trailer fields, which civetweb does not read. It is not kept on the last free thread
 * either, so that clients that keep the other threads cannot keep all others out. */
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

/* Upgrade applies to the connection, so Connection must name it (RFC 9110, 7.8). */
static const char *connection_of(const struct http_response *response, bool keep_alive) {
    return response->status == 426 ? "Upgrade, close" : keep_alive ? "keep-alive" : "close";
}

static size_t write_head(char *message, size_t room, const struct http_response *response, size_t body_size,
                         bool keep_alive) {
    char body[128] = ""; /* the fields that describe the body; a 204 has none (RFC 9110, 8.6) */
    if (response->status != 204)
        snprintf(body, sizeof body, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                 response->type == NULL ? "text/plain; charset=utf-8" : response->type, body_size);
    return (size_t)snprintf(
        message, room, "HTTP/1.1 %d %s\r\n%s%s%sConnection: %s\r\n\r\n", response->status,
        http_status_text(response->status), body, response->headers == NULL ? "" : response->headers,
        response->more_headers == NULL ? "" : response->more_headers, connection_of(response, keep_alive));
}

/* Writes a short response in one piece. Returns whether all of it was taken. This is a separate function so that
 * its memory is not part of the stack below which all upgrades are answered. */
__attribute__((noinline)) static bool write_response(struct mg_connection *connection,
                                                     const struct http_response *response, bool with_body,
                                                     bool keep_alive) {
    char message[WRITE_AT_ONCE];
    const char *body = response->long_body == NULL ? response->body : response->long_body;
    size_t size = response->long_body == NULL ? strlen(body) : response->long_size;
    size_t used = write_head(message, sizeof message, response, size, keep_alive);
    if (!with_body)
        return write_all(connection, message, used);
    if (size > sizeof message - used)
        return write_all(connection, message, used) && write_all(connection, body, size);
    memcpy(message + used, body, size);
    return write_all(connection, message, used + size);
}

/* --- Threads ------------------------------------------------------------------------------------------------ */

/* civetweb wakes a thread for each connection that it has accepted. That thread would take the processor from the
 * accepting one, wait for the mutex that this one holds, and find one connection. As batch threads they let it go
 * on: it accepts all clients that wait, and the threads then answer one after the other. */
static void *init_thread(const struct mg_context *context, int type) {
    const struct sched_param parameters = {0};
    struct httpd *httpd = mg_get_user_data(context);
    httpd->begun++;
    if (type != THREAD_OF_REQUESTS)
        return NULL;
    crash_thread_begins();
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
    return NULL;
}

/* Waits until the threads have begun, since each of them first ignores SIGPIPE, in the whole process: see
 * server/signals.h. A thread that cannot be started never begins; the library then goes on with fewer. */
static void await_threads(const struct httpd *httpd) {
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int waited = 0; httpd->begun < httpd->options.threads + 1 && waited < THREADS_MS; waited++)
        nanosleep(&moment, NULL);
}

/* --- Connections -------------------------------------------------------------------------------------------- */

static int init_connection(const struct mg_connection *connection, void **data) {
    (void)data;
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    httpd->busy++;
    visit.taken = 0;
    visit.failed = false;
    if (httpd->guard != NULL)
        request_guard_begin(httpd->guard);
    if (httpd->options.accepted != NULL)
        httpd->options.accepted(httpd->options.context);
    return 0;
}

/* From now on no other thread answers the client or cuts it off. Returns false if one has cut it off already. */
static bool take_in_hand(struct httpd *httpd, const struct mg_request_info *info, enum request_phase phase) {
    if (info == NULL)
        return true;
    uint16_t port = (uint16_t)info->remote_port, local_port = (uint16_t)info->server_port;
    if (httpd->guard != NULL)
        return request_guard_enter(httpd->guard, info->remote_addr, port, local_port, phase);
    return httpd->options.hold == NULL ||
           httpd->options.hold(httpd->options.context, info->remote_addr, port, local_port);
}

static void connection_closed(const struct mg_connection *connection) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    if (httpd->guard != NULL)
        request_guard_end(httpd->guard);
    if (httpd->options.release != NULL)
        httpd->options.release(httpd->options.context);
    httpd->busy--;
}

/* Answers on a connection that ends with this request. */
static int answer_once(struct httpd *httpd, struct mg_connection *connection, const struct http_request *request) {
    struct http_response response = {0};
    httpd->options.answer(httpd->options.context, request, &response);
    if (response.status != 101) {
        mg_disable_connection_keep_alive(connection);
        write_response(connection, &response, strcmp(request->method, "HEAD") != 0, false);
    }
    http_response_release(&response);
    return response.status; /* above 0: civetweb does nothing more */
}

/* Answers on a connection that may be kept. civetweb decides that by its own rules, and would wait for another
 * request. */
static int answer_guarded(struct httpd *httpd, struct mg_connection *connection, struct http_request *request) {
    struct http_response response = {0};
    struct incoming incoming = read_later(httpd, connection, request);
    request->body = announces_body(request) ? &incoming.body : NULL;
    httpd->options.answer(httpd->options.context, request, &response);
    bool stays = stays_open(httpd, request);
    request_guard_phase(httpd->guard, PHASE_ANSWER);
    bool written = write_response(connection, &response, strcmp(request->method, "HEAD") != 0, stays);
    if (!stays || !written)
        mg_disable_connection_keep_alive(connection);
    if (written && request->body != NULL && !request->body->ended)
        linger(&incoming);
    request_guard_phase(httpd->guard, PHASE_HEAD);
    visit.taken += request->head_size + (uint64_t)incoming.taken;
    http_response_release(&response);
    return response.status;
}

/* Answers what is not an HTTP request, or one that may not be answered. Each status has its own limit in the log,
 * so that scanners do not hide a user whose cookies are too large. */
static void refuse(struct httpd *httpd, struct mg_connection *connection, int status, const char *why) {
    static struct log_limit limits[100];
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http_response response = {0};
    http_respond(&response, status, "%s\n", why);
    if (httpd->options.error != NULL)
        httpd->options.error(httpd->options.context, info == NULL ? NULL : info->request_uri, why, &response);
    bool is_head = info != NULL && info->request_method != NULL && strcmp(info->request_method, "HEAD") == 0;
    mg_disable_connection_keep_alive(connection);
    write_response(connection, &response, !is_head, false);
    http_response_release(&response);
    log_event_limited(&limits[status % 100], LOG_HTTP, LOG_INFO, "bad_request",
                      LOG_FIELDS(LOG_TEXT("peer", info == NULL ? NULL : info->remote_addr),
                                 LOG_NUMBER("status", (uint64_t)status), LOG_TEXT("reason", why)));
}

/* How many bytes the client of a request has sent; -1: not known. */
static int64_t received_from(const struct httpd *httpd, const struct mg_request_info *info) {
    struct peer peer = peer_of_text(info->remote_addr, (uint16_t)info->remote_port, (uint16_t)info->server_port);
    return httpd->started ? listeners_received(&httpd->listeners, &peer) : -1;
}

/* Whether all of the head has come. A head without fields that ends with two LFs looks like one that ends with CR
 * LF CR LF, if an earlier request has left fitting bytes in civetweb's buffer. Only the number of bytes received
 * tells them apart. */
static bool has_all_of_head(const struct httpd *httpd, const struct mg_request_info *info,
                            const struct http_request *request) {
    if (request->header_count > 0)
        return true;
    int64_t received = received_from(httpd, info);
    return received < 0 || (uint64_t)received >= visit.taken + request->head_size;
}

static int answer_request(struct mg_connection *connection, const struct mg_request_info *info, bool is_cut) {
    struct httpd *httpd = info->user_data;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_request request;
    char link[LINK_MAX];
    const char *why = "";
    if (!take_in_hand(httpd, info, PHASE_WORK)) {
        mg_disable_connection_keep_alive(connection);
        return 408;
    }
    int status = httpd_request_read(info, is_cut, headers, &request, &why);
    if (status == 0 && !has_all_of_head(httpd, info, &request)) {
        status = 400;
        why = "a line of the head does not end with CR LF";
    }
    if (status != 0) {
        refuse(httpd, connection, status, why);
        return status;
    }
    request.local_address = read_local_address(connection, info, link);
    return httpd->guard == NULL ? answer_once(httpd, connection, &request)
                                : answer_guarded(httpd, connection, &request);
}

static int begin_request(struct mg_connection *connection) {
    return answer_request(connection, mg_get_request_info(connection), true);
}

/* civetweb closes without an answer when the target is an asterisk, or a URI with a port other than its own. */
static bool is_unanswered(const struct mg_request_info *info) {
    return info != NULL && !visit.failed && info->request_uri != NULL && info->local_uri_raw == NULL;
}

static void connection_closes(const struct mg_connection *connection) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    const struct mg_request_info *info = mg_get_request_info(connection);
    if (is_unanswered(info))
        answer_request((struct mg_connection *)connection, info, false);
    take_in_hand(httpd, info, PHASE_CLOSING);
}

/* --- Requests that civetweb itself could not make sense of -------------------------------------------------- */

/* Whether as much has come as civetweb's buffer holds. civetweb does not say so. */
static bool is_too_large(const struct httpd *httpd, const struct mg_request_info *info) {
    int64_t received = received_from(httpd, info);
    return received >= 0 && (uint64_t)received >= visit.taken + HTTP_HEAD_MAX;
}

/* Explains a head whose end was not found, or that has a control character. */
static int explain_head(const struct httpd *httpd, const struct mg_request_info *info, const char **why) {
    bool too_large = is_too_large(httpd, info);
    *why = too_large ? "the request's head is larger than 16384 bytes: cookies, perhaps, or a token"
                     : "the request's head has no end, or a control character in it, such as a tab";
    return too_large ? 431 : 400;
}

/* Returns the right status, and the reason in *why. */
static int explain(const struct httpd *httpd, const struct mg_request_info *info, int status, const char **why) {
    *why = status == 505 ? "the HTTP version must be 1.1 or 1.0" : http_status_text(status);
    if (info == NULL || (status != 400 && status != 411))
        return status;
    return info->request_method == NULL ? explain_head(httpd, info, why) : httpd_request_explain(info, why);
}

/* civetweb calls this for a request that it rejects. With "Invalid URI" it has read the request well, and only
 * rejects its target. */
static int http_error(struct mg_connection *connection, int status, const char *message) {
    struct httpd *httpd = mg_get_user_data(mg_get_context(connection));
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *why;
    visit.failed = true;
    if (!take_in_hand(httpd, info, PHASE_ANSWER))
        return 0;
    if (info != NULL && strcmp(message, "Invalid URI") == 0) {
        answer_request(connection, info, false);
        return 0;
    }
    status = explain(httpd, info, status, &why);
    refuse(httpd, connection, status, why);
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

/* Makes civetweb's list of addresses, in the heap. */
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
    char threads[16], queue[16], backlog[16], timeout[24], head_max[16];
    snprintf(threads, sizeof threads, "%u", httpd->options.threads);
    snprintf(queue, sizeof queue, "%u", httpd->options.connection_queue);
    snprintf(backlog, sizeof backlog, "%d", LISTEN_BACKLOG);
    snprintf(head_max, sizeof head_max, "%d", HTTP_HEAD_MAX);
    snprintf(timeout, sizeof timeout, "%llu", (unsigned long long)httpd->options.timeout_ms);
    const char *settings[] = {"listening_ports",
                              ports,
                              "num_threads",
                              threads,
                              "connection_queue",
                              queue,
                              "listen_backlog",
                              backlog,
                              "max_request_size",
                              head_max,
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
    if (httpd->civetweb != NULL) {
        await_threads(httpd);
        return 0;
    }
    return fail(error, error_size, "listen: %s", httpd->start_error[0] != '\0' ? httpd->start_error : text);
}

/* civetweb keeps the order of the addresses. A port of 0 has become one that was free. */
static int find_listeners(struct httpd *httpd, char *error, size_t error_size) {
    struct mg_server_ports ports[PORTS_MAX];
    int count = mg_get_server_ports(httpd->civetweb, PORTS_MAX, ports);
    for (int i = 0; i < count && httpd->options.listen[i] != NULL; i++) {
        const char *address = httpd->options.listen[i];
        if (!listeners_find(&httpd->listeners, address, (uint16_t)ports[i].port))
            return fail(error, error_size, "listen: the socket of %s cannot be found", address);
    }
    return 0;
}

static void stop_civetweb(struct httpd *httpd) {
    pthread_mutex_lock(&civetweb_life);
    mg_stop(httpd->civetweb);
    mg_exit_library();
    pthread_mutex_unlock(&civetweb_life);
}

static int start_listening(struct httpd *httpd, char *error, size_t error_size) {
    char *ports = join_ports(httpd->options.listen, error, error_size);
    if (ports == NULL)
        return -1;
    pthread_mutex_lock(&civetweb_life);
    mg_init_library(0);
    int result = start_civetweb(httpd, ports, error, error_size);
    if (result != 0)
        mg_exit_library();
    pthread_mutex_unlock(&civetweb_life);
    free(ports);
    if (result == 0 && (result = find_listeners(httpd, error, error_size)) != 0)
        stop_civetweb(httpd);
    return result;
}

static int start_guard(struct httpd *httpd, char *error, size_t error_size) {
    const struct request_guard_options options = {.listeners = &httpd->listeners,
                                                  .threads = httpd->options.threads,
                                                  .queue = httpd->options.connection_queue};
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
    stop_civetweb(httpd);
not_listening:
    request_guard_destroy(httpd->guard);
no_guard:
    free(httpd);
    return NULL;
}

uint16_t httpd_port(const struct httpd *httpd, size_t index) {
    return index < (size_t)httpd->listeners.count ? httpd->listeners.bound[index].port : 0;
}

const struct listeners *httpd_listeners(const struct httpd *httpd) {
    return &httpd->listeners;
}

void httpd_shut(struct httpd *httpd) {
    listeners_shut(&httpd->listeners);
    request_guard_end_all(httpd->guard);
}

static void count_client(void *context, int fd, const struct peer *peer) {
    (void)fd, (void)peer;
    ++*(unsigned *)context;
}

/* Waits for the clients that have been accepted but that no thread has taken yet: when the library stops, it never
 * closes those. */
static void await_clients(const struct httpd *httpd) {
    const struct timespec moment = {.tv_nsec = 1000000};
    unsigned clients = 1;
    for (int waited = 0; clients > 0 && waited < CLIENTS_MS; waited++) {
        clients = 0;
        listeners_each_client(&httpd->listeners, count_client, &clients);
        if (clients > 0)
            nanosleep(&moment, NULL);
    }
}

void httpd_stop(struct httpd *httpd) {
    await_clients(httpd);
    request_guard_stop(httpd->guard);
    stop_civetweb(httpd);
    request_guard_destroy(httpd->guard);
    free(httpd);
}
