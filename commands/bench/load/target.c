/* target.c - see target.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/error.h"

const char target_room[] = "{room}";

/* --- Addresses --------------------------------------------------------------------------------------------- */

/* Tests whether a server accepts connections: connects, and closes the connection at once. */
static bool listens(const struct addrinfo *info, double timeout) {
    int descriptor = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return false;
    int failure = 0;
    socklen_t size = sizeof failure;
    struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
    bool begun = connect(descriptor, info->ai_addr, info->ai_addrlen) == 0 || errno == EINPROGRESS;
    bool answered = begun && poll(&wait, 1, (int)(timeout * 1000)) == 1 &&
                    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
    close(descriptor);
    return answered;
}

static bool resolve(struct target *target, const struct url *url, double timeout, struct weir_client_error *error) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    int failure = getaddrinfo(url->host, url->port, &hints, &list);
    if (failure != 0) {
        client_error(error, WEIR_CLIENT_UNKNOWN_HOST, "%s: %s", target->text, gai_strerror(failure));
        return false;
    }
    const struct addrinfo *chosen = list;
    if (list->ai_next != NULL)
        while (chosen != NULL && !listens(chosen, timeout))
            chosen = chosen->ai_next;
    if (chosen == NULL)
        chosen = list;
    memcpy(&target->address, chosen->ai_addr, chosen->ai_addrlen);
    target->address_size = chosen->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

bool target_is_loopback(const struct target *target) {
    if (target->address.ss_family != AF_INET)
        return false;
    struct sockaddr_in address;
    memcpy(&address, &target->address, sizeof address);
    return ntohl(address.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

/* --- Requests ---------------------------------------------------------------------------------------------- */

struct weir_client_options target_options(const struct settings *settings) {
    return (struct weir_client_options){.headers = settings->headers,
                                        .subprotocols = settings->subprotocols,
                                        .origin = settings->origin,
                                        .compress = settings->compress};
}

/* Asks the server not to use context takeover. All clients of a thread share one inflater, so no stream may
 * continue from one message to the next (RFC 7692, 7.1.1). */
static char *renounce_takeover(char *request) {
    static const char name[] = "\r\nSec-WebSocket-Extensions: ",
                      more[] = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    char *begin = strstr(request, name);
    if (begin == NULL)
        return request;
    begin += sizeof name - 1;
    char *changed;
    int size = asprintf(&changed, "%.*s%s%s", (int)(begin - request), request, more, strstr(begin, "\r\n"));
    free(request);
    return size >= 0 ? changed : NULL;
}

static bool write_request(struct target *target, const struct url *url, const struct settings *settings,
                          struct weir_client_error *error) {
    const struct weir_client_options options = target_options(settings);
    if (!client_handshake_key(target->key)) {
        client_error(error, WEIR_CLIENT_NO_MEMORY, "the system gives no random numbers");
        return false;
    }
    char *request = client_handshake_request(url, &options, target->key, error);
    if (request == NULL)
        return false;
    target->request = renounce_takeover(request);
    if (target->request == NULL) {
        client_error(error, WEIR_CLIENT_NO_MEMORY, "out of memory");
        return false;
    }
    target->request_size = strlen(target->request);
    target->line_size = strcspn(target->request, "\r");
    return true;
}

size_t target_line(const struct target *target, unsigned room, char line[TARGET_LINE_MAX]) {
    const char *from = target->request, *end = from + target->line_size, *found;
    char *to = line;
    size_t name_size = sizeof target_room - 1;
    while ((found = memmem(from, (size_t)(end - from), target_room, name_size)) != NULL) {
        to = mempcpy(to, from, (size_t)(found - from));
        to += sprintf(to, "%u", room);
        from = found + name_size;
    }
    to = mempcpy(to, from, (size_t)(end - from));
    return (size_t)(to - line);
}

static bool make(struct target *target, const char *text, const struct settings *settings,
                 struct weir_client_error *error) {
    struct url url;
    char why[256];
    target->text = text;
    if (!url_parse(text, &url, why, sizeof why))
        client_error(error, WEIR_CLIENT_BAD_ARGUMENT, "%s", why);
    else if (url.tls)
        client_error(error, WEIR_CLIENT_NO_TLS, "%s: wss:// is not built yet; use ws://", text);
    else {
        if (settings->auth != NULL)
            snprintf(url.user, sizeof url.user, "%s", settings->auth);
        return write_request(target, &url, settings, error) && resolve(target, &url, settings->timeout, error);
    }
    return false;
}

struct target *targets_create(const struct settings *settings, struct weir_client_error *error) {
    struct target *targets = calloc(settings->url_count, sizeof *targets);
    if (targets == NULL)
        client_error(error, WEIR_CLIENT_NO_MEMORY, "out of memory");
    for (unsigned i = 0; targets != NULL && i < settings->url_count; i++)
        if (!make(&targets[i], settings->urls[i], settings, error)) {
            targets_release(targets, settings->url_count);
            return NULL;
        }
    return targets;
}

void targets_release(struct target *targets, unsigned count) {
    for (unsigned i = 0; targets != NULL && i < count; i++)
        free(targets[i].request);
    free(targets);
}
