/* admin.c - see admin.h.
 *
 *     GET  /healthz      the process lives
 *     GET  /readyz       new clients are welcome; 503 in a stop
 *     GET  /metrics      for Prometheus
 *     /api/...           api.h; under the token
 *
 * Any client that has the token may call the API. Without a token, any client that can reach it may, if the
 * listener is for this machine alone, and the request does not come from a web page that a browser here has loaded
 * from elsewhere.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/admin.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/admin/api.h"
#include "server/admin/metrics.h"
#include "server/http/civetweb/http_server.h"

struct admin {
    struct admin_options options;
    struct http_server *http_server;
    struct api api;
    bool is_local; /* it listens on loopback addresses only */

    struct mutex mutex; /* guards what follows */
    const char *token;  /* the configuration's; NULL: none */
};

/* --- Who may ------------------------------------------------------------------------------------------------ */

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

/* Compares in a time that does not reveal where they differ. */
static bool same_secret(const char *a, const char *b) {
    unsigned char digests[2][SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)a, strlen(a), digests[0]);
    SHA256((const unsigned char *)b, strlen(b), digests[1]);
    return CRYPTO_memcmp(digests[0], digests[1], sizeof digests[0]) == 0;
}

static bool has_token(const char *token, const struct http_request *request) {
    const char *given = http_request_header(request, "Authorization");
    return given != NULL && strncasecmp(given, "Bearer ", 7) == 0 && same_secret(given + 7, token);
}

/* Whether this is a name of this machine that no page from elsewhere can have. */
static bool is_local_host(const char *host) {
    if (host == NULL)
        return true;
    if (strncmp(host, "[::1]", 5) == 0)
        return host[5] == '\0' || host[5] == ':';
    size_t size = strcspn(host, ":");
    if (strncmp(host, "127.", 4) == 0)
        return strspn(host, "0123456789.") == size;
    return size == strlen("localhost") && strncasecmp(host, "localhost", size) == 0;
}

/* Whether no browser page has sent the request, which its user need not have meant to send. */
static bool is_direct(const struct http_request *request) {
    return http_request_header(request, "Origin") == NULL && is_local_host(http_request_header(request, "Host"));
}

static bool may(struct admin *admin, const struct http_request *request, struct http_response *response) {
    mutex_lock(&admin->mutex);
    bool needs_token = admin->token != NULL;
    bool right = needs_token && has_token(admin->token, request);
    mutex_unlock(&admin->mutex);
    if (needs_token ? right : admin->is_local && is_direct(request))
        return true;
    if (needs_token) {
        response->headers = "WWW-Authenticate: Bearer realm=\"weir\"\r\n";
        api_error(response, 401, "unauthorized", "Send the token: Authorization: Bearer TOKEN.");
    } else {
        api_error(response, 403, "forbidden",
                  "From pages, and from beyond this machine, the API needs [admin] token or token_file.");
    }
    return false;
}

/* --- Answers ------------------------------------------------------------------------------------------------ */

static void answer_health(struct admin *admin, const struct http_request *request, struct http_response *response) {
    (void)admin, (void)request;
    http_respond(response, 200, "ok\n");
}

static void answer_ready(struct admin *admin, const struct http_request *request, struct http_response *response) {
    (void)request;
    bool stopping = registry_is_closed(&admin->options.dispatch->core->registry);
    http_respond(response, stopping ? 503 : 200, stopping ? "stopping\n" : "ready\n");
}

static void answer_metrics(struct admin *admin, const struct http_request *request,
                           struct http_response *response) {
    (void)request;
    struct dispatch *dispatch = admin->options.dispatch;
    struct route_entries *entries = route_entries_current(&dispatch->current_routes);
    response->long_body = metrics_text(dispatch->core, entries);
    route_entries_release(entries);
    if (response->long_body == NULL) {
        http_respond(response, 503, "Out of memory.\n");
        return;
    }
    response->status = 200;
    response->type = METRICS_TYPE;
    response->long_size = strlen(response->long_body);
}

static const struct {
    const char *path;
    void (*answer)(struct admin *admin, const struct http_request *request, struct http_response *response);
} pages[] = {
    {"/healthz", answer_health},
    {"/readyz", answer_ready},
    {"/metrics", answer_metrics},
};

static void answer_open(struct admin *admin, const struct http_request *request, struct http_response *response) {
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(pages[i].path, request->path) != 0)
            continue;
        if (reads) {
            pages[i].answer(admin, request, response);
        } else {
            response->headers = "Allow: GET, HEAD\r\n";
            http_respond(response, 405, "This is for GET.\n");
        }
        return;
    }
    http_respond(response, 404, "There are GET /healthz, /readyz and /metrics, and the API below /api.\n");
}

static void answer(void *context, const struct http_request *request, struct http_response *response) {
    struct admin *admin = context;
    if (strcmp(request->path, "*") == 0) {
        response->headers = "Allow: GET, HEAD, POST, DELETE, OPTIONS\r\n";
        http_respond(response, 204, "%s", "");
    } else if (!api_path_is(request->path))
        answer_open(admin, request, response);
    else if (may(admin, request, response))
        api_answer(&admin->api, request, response);
}

/* Gives an answer in the API's form also to what is not a request, unless it was meant for another path. */
static void answer_error(void *context, const char *target, const char *why, struct http_response *response) {
    (void)context;
    if (target == NULL || api_path_is(target))
        api_error(response, response->status, response->status == 501 ? "unknown_method" : "bad_request", "%s.",
                  why);
}

/* --- Life --------------------------------------------------------------------------------------------------- */

struct admin *admin_start(const struct admin_options *options, char *error, size_t error_size) {
    struct admin *admin = calloc(1, sizeof *admin);
    struct idempotency *keys = idempotency_create(IDEMPOTENCY_KEYS);
    if (admin == NULL || keys == NULL) {
        snprintf(error, error_size, "out of memory");
        idempotency_destroy(keys);
        free(admin);
        return NULL;
    }
    admin->options = *options;
    admin->api = (struct api){
        .core = options->dispatch->core, .keys = keys, .reload = options->reload, .context = options->context};
    admin->is_local = true;
    for (size_t i = 0; options->listen[i] != NULL; i++)
        admin->is_local = admin->is_local && is_loopback(options->listen[i]);
    mutex_init(&admin->mutex, ADMIN_LOCK_RANK);
    const struct http_server_options http_server = {.listen = options->listen,
                                                    .threads = options->threads,
                                                    .connection_queue = ADMIN_QUEUE,
                                                    .keep_alive = true,
                                                    .answer = answer,
                                                    .error = answer_error,
                                                    .context = admin};
    char reason[256];
    admin->token = options->token;
    admin->http_server = http_server_start(&http_server, reason, sizeof reason);
    if (admin->http_server != NULL)
        return admin;
    snprintf(error, error_size, "[admin] %s", reason);
    mutex_destroy(&admin->mutex);
    idempotency_destroy(keys);
    free(admin);
    return NULL;
}

void admin_set_token(struct admin *admin, const char *token) {
    mutex_lock(&admin->mutex);
    admin->token = token;
    mutex_unlock(&admin->mutex);
}

uint16_t admin_port(const struct admin *admin, size_t index) {
    return http_server_port(admin->http_server, index);
}

void admin_stop(struct admin *admin) {
    if (admin == NULL)
        return;
    http_server_stop(admin->http_server);
    mutex_destroy(&admin->mutex);
    idempotency_destroy(admin->api.keys);
    free(admin);
}
