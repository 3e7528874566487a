/* front.c - see front.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/civetweb/httpd.h"
#include "server/http/civetweb/watcher.h"

enum { MARGIN_MS = 1000 }; /* the watcher answers before the library, which sends nothing on a timeout */

struct front {
    struct httpd *httpd;
    struct service *service;
    struct watcher *watcher;
};

static void accepted(void *context) {
    const struct front *front = context;
    watcher_wake(front->watcher);
}

static bool hold(void *context, const char *peer_address, uint16_t peer_port, uint16_t local_port) {
    const struct front *front = context;
    return watcher_hold(front->watcher, peer_address, peer_port, local_port);
}

static void release(void *context) {
    const struct front *front = context;
    watcher_release(front->watcher);
}

static void answer(void *context, const struct http_request *request, struct http_response *response) {
    const struct front *front = context;
    service_answer(front->service, request, response);
}

/* What is not an HTTP request is not a handshake either, and counts as a refused one. */
static void count_error(void *context, const char *target, const char *why, struct http_response *response) {
    (void)target, (void)why, (void)response;
    const struct front *front = context;
    atomic_fetch_add(&front->service->core->counters.refused[REFUSED_HANDSHAKE], 1);
}

static struct watcher *create_watcher(const struct front_options *options, struct service *service) {
    const struct watcher_options watched = {
        .base = service->adoption.base,
        .limits = {.per_address = options->max_half_open_per_ip,
                   .timeout_ms = options->handshake_timeout_ms,
                   .threads = options->threads,
                   .queue = options->connection_queue},
        .trusted_proxies = service->trusted_proxies,
        .closed = &service->core->counters.half_open_closed,
        .refused = &service->core->counters.refused[REFUSED_RESOURCES],
    };
    return watcher_create(&watched);
}

struct front *front_start(const struct front_options *options, struct service *service, char *error,
                          size_t error_size) {
    struct front *front = calloc(1, sizeof *front);
    if (front == NULL || (front->watcher = create_watcher(options, service)) == NULL) {
        free(front);
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    front->service = service;
    const struct httpd_options httpd = {.listen = options->listen,
                                        .threads = options->threads,
                                        .connection_queue = options->connection_queue,
                                        .timeout_ms = options->handshake_timeout_ms + MARGIN_MS,
                                        .answer = answer,
                                        .accepted = accepted,
                                        .error = count_error,
                                        .hold = hold,
                                        .release = release,
                                        .context = front};
    front->httpd = httpd_start(&httpd, error, error_size);
    if (front->httpd == NULL)
        goto not_listening;
    if (watcher_start(front->watcher, httpd_listeners(front->httpd)) != 0) {
        snprintf(error, error_size, "the watcher of the handshakes: %s", strerror(errno));
        goto not_watching;
    }
    return front;

not_watching:
    httpd_shut(front->httpd);
    httpd_stop(front->httpd);
not_listening:
    watcher_destroy(front->watcher);
    free(front);
    return NULL;
}

uint16_t front_port(const struct front *front, size_t index) {
    return httpd_port(front->httpd, index);
}

/* Unfinished requests are cut off first: they would hold up civetweb's threads, which look for a stop only every
 * two seconds. */
void front_stop(struct front *front) {
    if (front == NULL)
        return;
    watcher_stop(front->watcher);
    httpd_shut(front->httpd);
    watcher_close_all(front->watcher);
    httpd_stop(front->httpd);
    watcher_destroy(front->watcher);
    free(front);
}
