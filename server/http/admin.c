/* admin.c - see admin.h.
 *
 *     GET  /healthz      the process lives
 *     GET  /readyz       new clients are welcome; 503 in a stop
 *     GET  /metrics      for Prometheus
 *     POST /api/reload   reads the configuration again; under the token
 *
 * Who may call the API: whoever has the token; without one, whoever can reach it, if that is this machine alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/admin.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http/httpd.h"
#include "server/http/metrics.h"

enum { TIMEOUT_MS = 5000 };

struct admin {
    struct admin_options options;
    struct httpd *httpd;
    bool is_local; /* it listens on loopback addresses alone */

    struct mutex mutex; /* guards what follows */
    const char *token;  /* the configuration's; NULL: none */
};

/* --- Who may ------------------------------------------------------------------------------------------------ */

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

/* In a time that says nothing about where they differ. */
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

static bool may(struct admin *admin, const struct http_request *request, struct http_response *response) {
    mutex_lock(&admin->mutex);
    bool needs_token = admin->token != NULL;
    bool right = needs_token && has_token(admin->token, request);
    mutex_unlock(&admin->mutex);
    bool from_page = http_request_header(request, "Origin") != NULL; /* which the user need not have meant */
    if (needs_token ? right : admin->is_local && !from_page)
        return true;
    if (needs_token) {
        response->headers = "WWW-Authenticate: Bearer realm=\"weir\"\r\n";
        http_respond(response, 401, "Send the token: Authorization: Bearer TOKEN.\n");
    } else {
        http_respond(response, 403,
                     "From pages, and from beyond this machine, the API needs [admin] token or token_file.\n");
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
    bool stopping = registry_is_closed(&admin->options.service->core->registry);
    http_respond(response, stopping ? 503 : 200, stopping ? "stopping\n" : "ready\n");
}

static void answer_metrics(struct admin *admin, const struct http_request *request,
                           struct http_response *response) {
    (void)request;
    struct service *service = admin->options.service;
    struct entrances *entrances = entrances_current(&service->doors);
    response->long_body = metrics_text(service->core, entrances);
    entrances_release(entrances);
    if (response->long_body == NULL) {
        http_respond(response, 503, "Out of memory.\n");
        return;
    }
    response->status = 200;
    response->type = METRICS_TYPE;
}

static void answer_reload(struct admin *admin, const struct http_request *request, struct http_response *response) {
    char text[HTTP_BODY_MAX - 2];
    (void)request;
    int result = admin->options.reload(admin->options.context, text, sizeof text);
    http_respond(response, result > 0 ? 200 : result == 0 ? 409 : 202, "%s\n", text);
}

static const struct {
    const char *method, *path;
    bool open; /* to everybody */
    void (*answer)(struct admin *admin, const struct http_request *request, struct http_response *response);
} endpoints[] = {
    {"GET", "/healthz", true, answer_health},
    {"GET", "/readyz", true, answer_ready},
    {"GET", "/metrics", true, answer_metrics},
    {"POST", "/api/reload", false, answer_reload},
};

static void answer(void *context, const struct http_request *request, struct http_response *response) {
    struct admin *admin = context;
    bool head = strcmp(request->method, "HEAD") == 0;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        if (strcmp(endpoints[i].path, request->path) != 0)
            continue;
        bool reads = strcmp(endpoints[i].method, "GET") == 0;
        if (strcmp(endpoints[i].method, request->method) != 0 && !(head && reads)) {
            response->headers = reads ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n";
            http_respond(response, 405, "This is for %s.\n", endpoints[i].method);
        } else if (endpoints[i].open || may(admin, request, response)) {
            endpoints[i].answer(admin, request, response);
        }
        return;
    }
    http_respond(response, 404, "There are GET /healthz, /readyz and /metrics, and POST /api/reload.\n");
}

/* --- Life --------------------------------------------------------------------------------------------------- */

struct admin *admin_start(const struct admin_options *options, char *error, size_t error_size) {
    struct admin *admin = calloc(1, sizeof *admin);
    if (admin == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    admin->options = *options;
    admin->is_local = true;
    for (size_t i = 0; options->listen[i] != NULL; i++)
        admin->is_local = admin->is_local && is_loopback(options->listen[i]);
    mutex_init(&admin->mutex, ADMIN_LOCK_RANK);
    const struct httpd_options httpd = {.listen = options->listen,
                                        .threads = options->threads,
                                        .connection_queue = ADMIN_QUEUE,
                                        .timeout_ms = TIMEOUT_MS,
                                        .keep_alive = true,
                                        .descriptors_below = options->service->adoption.base,
                                        .answer = answer,
                                        .context = admin};
    char reason[256];
    admin->token = options->token;
    admin->httpd = httpd_start(&httpd, reason, sizeof reason);
    if (admin->httpd != NULL)
        return admin;
    snprintf(error, error_size, "[admin] %s", reason);
    mutex_destroy(&admin->mutex);
    free(admin);
    return NULL;
}

void admin_set_token(struct admin *admin, const char *token) {
    mutex_lock(&admin->mutex);
    admin->token = token;
    mutex_unlock(&admin->mutex);
}

/* Idle clients would hold up civetweb's threads for seconds. */
void admin_stop(struct admin *admin) {
    if (admin == NULL)
        return;
    httpd_shut(admin->httpd);
    listeners_shut_clients(httpd_listeners(admin->httpd), admin->options.service->adoption.base);
    httpd_stop(admin->httpd);
    mutex_destroy(&admin->mutex);
    free(admin);
}
