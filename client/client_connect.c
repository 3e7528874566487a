/* client_connect.c - from a URL to an open connection: name resolution, TCP and opening handshake share one
 * deadline.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/client_private.h"
#include "client/error.h"
#include "client/resolve.h"

enum { CONNECT_TIMEOUT_MS = 10000, URL_ERROR_SIZE = 160, INTERIM_MAX = 8 };

/* One attempt to connect. */
struct attempt {
    struct url url;
    const struct weir_client_options *options;
    uint64_t timeout, deadline;
    char key[CLIENT_HANDSHAKE_KEY_SIZE];
    struct weir_client_error *error;
    unsigned interim; /* interim responses so far */
};

/* The server that the error is about, as in "ws://[::1]:9000". For printf(). */
#define WHERE          "ws://%s%s%s:%s"
#define WHERE_OF(url_) (url_).host_is_ipv6 ? "[" : "", (url_).host, (url_).host_is_ipv6 ? "]" : "", (url_).port

/* --- Name resolution ---------------------------------------------------------------------------------------- */

static struct addrinfo *client_connect_find_addresses(struct attempt *attempt) {
    int failure;
    struct addrinfo *addresses = resolve(attempt->url.host, attempt->url.port, attempt->deadline, &failure);
    const char *host = attempt->url.host;
    char duration[CLIENT_DURATION_SIZE];
    if (addresses != NULL)
        return addresses;
    if (failure == RESOLVE_TIMED_OUT)
        client_error(attempt->error, WEIR_CLIENT_TIMED_OUT,
                     "%s: the name was not resolved within %s; is the name server reachable?", host,
                     client_duration(attempt->timeout, duration));
    else if (failure == RESOLVE_BUSY)
        client_error(attempt->error, WEIR_CLIENT_TIMED_OUT,
                     "%s: %d earlier lookups still wait for the name server; is it reachable?", host,
                     RESOLVE_ABANDONED_MAX);
    else if (failure == EAI_MEMORY)
        client_error(attempt->error, WEIR_CLIENT_NO_MEMORY, "%s: out of memory while resolving the name", host);
    else
        client_error(attempt->error, WEIR_CLIENT_UNKNOWN_HOST, "%s: %s; is the name spelled right?", host,
                     gai_strerror(failure));
    return NULL;
}

/* Parses the caller's source address; *source is NULL if the caller gave none. */
static bool client_connect_find_source(struct attempt *attempt, struct addrinfo **source) {
    static const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    *source = NULL;
    if (attempt->options->source == NULL || getaddrinfo(attempt->options->source, NULL, &numeric, source) == 0)
        return true;
    client_error(attempt->error, WEIR_CLIENT_BAD_ARGUMENT,
                 "\"%.64s\" is not a valid source address; write an IP address of this machine",
                 attempt->options->source);
    return false;
}

/* --- TCP ---------------------------------------------------------------------------------------------------- */

static void client_connect_report_failure(struct attempt *attempt, int number) {
    const struct url *url = &attempt->url;
    char duration[CLIENT_DURATION_SIZE];
    if (number == ECONNREFUSED)
        client_error(attempt->error, WEIR_CLIENT_REFUSED,
                     WHERE ": connection refused; is the server running, and is this its port?", WHERE_OF(*url));
    else if (number == ETIMEDOUT)
        client_error(
            attempt->error, WEIR_CLIENT_TIMED_OUT,
            WHERE ": the server did not accept the connection within %s; is the address right, or does a firewall "
                  "block it?",
            WHERE_OF(*url), client_duration(attempt->timeout, duration));
    else if (number == EADDRNOTAVAIL && attempt->options->source != NULL)
        client_error(attempt->error, WEIR_CLIENT_UNREACHABLE,
                     WHERE ": the source address %s does not belong to this machine, or has no free port",
                     WHERE_OF(*url), attempt->options->source);
    else if (number == EAFNOSUPPORT && attempt->options->source != NULL)
        client_error(attempt->error, WEIR_CLIENT_UNREACHABLE,
                     WHERE ": the host has no address of the same family as the source address %s", WHERE_OF(*url),
                     attempt->options->source);
    else if (number == ENOMEM || number == ENOBUFS)
        client_error(attempt->error, WEIR_CLIENT_NO_MEMORY, WHERE ": out of memory for a connection",
                     WHERE_OF(*url));
    else
        client_error(attempt->error, WEIR_CLIENT_UNREACHABLE, WHERE ": %s", WHERE_OF(*url),
                     client_system_error(number));
}

static int client_connect_socket(struct attempt *attempt) {
    struct addrinfo *source, *addresses;
    int descriptor = -1;
    if (!client_connect_find_source(attempt, &source))
        return -1;
    addresses = client_connect_find_addresses(attempt);
    if (addresses != NULL) {
        descriptor = socket_connect(addresses, source, attempt->deadline);
        if (descriptor < 0)
            client_connect_report_failure(attempt, errno);
        freeaddrinfo(addresses);
    }
    if (source != NULL)
        freeaddrinfo(source);
    return descriptor;
}

/* --- The opening handshake ---------------------------------------------------------------------------------- */

static bool client_connect_report_no_response(struct attempt *attempt, int number) {
    char duration[CLIENT_DURATION_SIZE];
    if (number == ETIMEDOUT)
        client_error(attempt->error, WEIR_CLIENT_TIMED_OUT,
                     WHERE ": no response to the opening handshake within %s", WHERE_OF(attempt->url),
                     client_duration(attempt->timeout, duration));
    else if (number == 0 || number == ECONNRESET || number == EPIPE)
        client_error(
            attempt->error, WEIR_CLIENT_LOST,
            WHERE ": the server closed the connection without a response to the opening handshake; does it speak "
                  "WebSocket?",
            WHERE_OF(attempt->url));
    else
        client_error(attempt->error, WEIR_CLIENT_LOST, WHERE ": %s", WHERE_OF(attempt->url),
                     client_system_error(number));
    return false;
}

/* True for an interim (1xx) response, such as 103, that precedes the final one (RFC 7231, 6.2). */
static bool client_connect_is_interim(const char *head, size_t size) {
    static const char switching[] = "HTTP/1.1 101";
    return size > sizeof switching && head[9] == '1' && memcmp(head, switching, sizeof switching - 1) != 0 &&
           memcmp(head, switching, 9) == 0;
}

/* True while more of the response has to come. Sets *is_response to false, with *error filled, if it is not a
 * response. */
static bool client_connect_is_unfinished(weir_client *client, struct attempt *attempt, bool *is_response) {
    const char *bytes = (const char *)client->input;
    *is_response = client_handshake_is_possible(bytes, client->input_end, attempt->error);
    if (!*is_response)
        return false;
    client->head_size = client_handshake_head_size(bytes, client->input_end);
    if (client_connect_is_interim(bytes, client->head_size) && attempt->interim < INTERIM_MAX) {
        attempt->interim++;
        client->input_end -= client->head_size;
        memmove(client->input, client->input + client->head_size, client->input_end);
        return client_connect_is_unfinished(client, attempt, is_response);
    }
    return client->head_size == 0 || client_handshake_awaits_body(bytes, client->head_size, client->input_end);
}

/* Reads the head, and the first line of a refusal's body; bytes after a 101 are the first frames. The end of the
 * stream, or the deadline, also ends the body. */
static bool client_connect_read_response(weir_client *client, struct attempt *attempt) {
    bool is_response;
    client->input_end = 0;
    while (client_connect_is_unfinished(client, attempt, &is_response)) {
        ssize_t size =
            socket_read(client->socket, client->input + client->input_end, CLIENT_INPUT_SIZE - client->input_end);
        int number = errno;
        if (size > 0) {
            client->input_end += (size_t)size;
            continue;
        }
        if (size < 0 && number == EAGAIN && socket_wait(client->socket, POLLIN, attempt->deadline))
            continue;
        if (client->head_size > 0)
            return true;
        return client_connect_report_no_response(attempt, size == 0 ? 0 : number == EAGAIN ? ETIMEDOUT : number);
    }
    return is_response;
}

/* Keeps a copy of the head; the frames after it stay in the input for the decoder. */
static bool client_connect_take_response(weir_client *client, struct attempt *attempt) {
    struct client_handshake handshake;
    client->head = malloc(client->head_size + 1);
    if (client->head == NULL) {
        client_error(attempt->error, WEIR_CLIENT_NO_MEMORY, "out of memory for the response");
        return false;
    }
    memcpy(client->head, client->input, client->head_size);
    client->head[client->head_size] = '\0';
    client->input_at = client->head_size;
    if (!client_handshake_check(client->head, client->head_size, (const char *)client->input + client->input_at,
                                client->input_end - client->input_at, attempt->key, attempt->options, &handshake,
                                attempt->error))
        return false;
    client->subprotocol = handshake.subprotocol;
    client->deflate = handshake.deflate;
    client->decoder.deflate = handshake.deflate.enabled;
    return true;
}

static bool client_connect_handshake(weir_client *client, struct attempt *attempt) {
    char *request = client_handshake_request(&attempt->url, attempt->options, attempt->key, attempt->error);
    if (request == NULL)
        return false;
    client->socket = client_connect_socket(attempt);
    bool sent = client->socket >= 0 &&
                (socket_write_all(client->socket, request, strlen(request), attempt->deadline) || errno == EPIPE ||
                 errno == ECONNRESET ||
                 client_connect_report_no_response(attempt, errno)); /* the server may have refused already */
    free(request);
    if (!sent || !client_connect_read_response(client, attempt) || !client_connect_take_response(client, attempt))
        return false;
    socket_peer(client->socket, client->peer);
    return true;
}

/* --- Connecting --------------------------------------------------------------------------------------------- */

static bool client_connect_begin(struct attempt *attempt, const char *url) {
    char why[URL_ERROR_SIZE];
    if (!url_parse(url, &attempt->url, why, sizeof why))
        client_error(attempt->error, WEIR_CLIENT_BAD_ARGUMENT, "%s", why);
    else if (attempt->url.tls)
        client_error(
            attempt->error, WEIR_CLIENT_NO_TLS,
            "wss:// requires TLS, which weir does not support yet; put a proxy such as nginx or stunnel in "
            "front of the server");
    else if (!client_handshake_key(attempt->key))
        client_error(attempt->error, WEIR_CLIENT_HANDSHAKE, "the system returned no random numbers");
    else
        return true;
    return false;
}

weir_client *weir_client_connect(const char *url, const struct weir_client_options *options,
                                 struct weir_client_error *error) {
    static const struct weir_client_options defaults;
    options = options == NULL ? &defaults : options;
    uint64_t timeout = options->connect_timeout_ms == 0 ? CONNECT_TIMEOUT_MS : options->connect_timeout_ms;
    struct attempt attempt = {
        .options = options, .timeout = timeout, .deadline = socket_deadline(timeout), .error = error};
    if (error != NULL)
        *error = (struct weir_client_error){0};
    if (!client_connect_begin(&attempt, url))
        return NULL;
    weir_client *client = client_create(options);
    if (client == NULL) {
        int number = errno;
        client_error(error, number == ENOMEM ? WEIR_CLIENT_NO_MEMORY : WEIR_CLIENT_UNREACHABLE, "%s",
                     client_system_error(number));
        return NULL;
    }
    if (client_connect_handshake(client, &attempt))
        return client;
    weir_client_destroy(client);
    return NULL;
}
