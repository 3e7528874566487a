/* client_handshake_response.c - checks the response to the opening handshake (RFC 6455, 4.1, after "Once the
 * client's opening handshake has been sent"). No sockets; any thread. It is strict about a 101 and lenient about a
 * refusal, from which it needs only a line that says why.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "client/client_handshake.h"
#include "client/error.h"
#include "client/response_head.h"
#include "ws/extension_response.h"

#define TOKEN                                                                                                      \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~" /* RFC 7230, 3.2.6             \
                                                                                     */

enum { SWITCHING = 101, REDIRECT = 3 };

static bool client_handshake_reject(struct weir_client_error *error, const char *why) {
    client_error(error, WEIR_CLIENT_HANDSHAKE, "%s", why);
    return false;
}

/* --- Before the head is complete ---------------------------------------------------------------------------- */

static bool client_handshake_is_tls_alert(const char *bytes, size_t size) {
    static const char alert[] = {0x15, 0x03};
    return memcmp(bytes, alert, size < sizeof alert ? size : sizeof alert) == 0;
}

bool client_handshake_is_possible(const char *bytes, size_t size, struct weir_client_error *error) {
    static const char begin[] = "HTTP/1.";
    enum { SHOWN = 32 };
    size_t compared = size < sizeof begin - 1 ? size : sizeof begin - 1;
    if (size >= 2 && client_handshake_is_tls_alert(bytes, size))
        return client_handshake_reject(
            error,
            "the server requires TLS; weir does not support wss:// yet, so put a proxy in front of the server");
    if (memcmp(bytes, begin, compared) != 0 && !client_handshake_is_tls_alert(bytes, size)) {
        client_error(error, WEIR_CLIENT_HANDSHAKE,
                     "the server does not speak HTTP/1.1; its response begins with \"%.*s\"",
                     (int)(size < SHOWN ? size : SHOWN), bytes);
        return false;
    }
    size_t head_size = client_handshake_head_size(bytes, size);
    if (head_size > CLIENT_HANDSHAKE_HEAD_MAX || (head_size == 0 && size >= CLIENT_HANDSHAKE_HEAD_MAX))
        return client_handshake_reject(error, "the response headers are longer than 16 KiB");
    return true;
}

/* --- Refusals ----------------------------------------------------------------------------------------------- */

struct first_line {
    struct head_line line; /* as much of it as has arrived */
    bool whole;
};

/* Returns the number at the start of a line, at most CLIENT_HANDSHAKE_BODY_MAX. */
static size_t client_handshake_leading_number(struct head_line line, const char *digits) {
    size_t base = strlen(digits), number = 0;
    for (size_t i = 0; i < line.size; i++) {
        const char *digit = memchr(digits, tolower((unsigned char)line.text[i]), base);
        if (digit == NULL)
            break;
        number = number * base + (size_t)(digit - digits);
        if (number > CLIENT_HANDSHAKE_BODY_MAX)
            return CLIENT_HANDSHAKE_BODY_MAX;
    }
    return number;
}

/* Returns the first line of the body, or of its first chunk if it is chunked (RFC 7230, 4.1). */
static struct first_line client_handshake_first_line(const char *head, size_t head_size, const char *body,
                                                     size_t size) {
    struct head_line value;
    size_t limit = CLIENT_HANDSHAKE_BODY_MAX;
    if (response_head_find(head, head_size, "Transfer-Encoding", &value) > 0) {
        const char *end = memchr(body, '\n', size);
        if (end == NULL)
            return (struct first_line){{body, 0}, size >= CLIENT_HANDSHAKE_BODY_MAX};
        limit = client_handshake_leading_number((struct head_line){body, (size_t)(end - body)}, "0123456789abcdef");
        size -= (size_t)(end + 1 - body);
        body = end + 1;
    } else if (response_head_find(head, head_size, "Content-Length", &value) > 0) {
        limit = client_handshake_leading_number(value, "0123456789");
    }
    bool all = size >= limit;
    const char *end = memchr(body, '\n', all ? limit : size);
    size_t line_size = end != NULL ? (size_t)(end - body) : all ? limit : size;
    if (line_size > 0 && body[line_size - 1] == '\r')
        line_size--;
    return (struct first_line){response_head_trim((struct head_line){body, line_size}), all || end != NULL};
}

bool client_handshake_awaits_body(const char *bytes, size_t head_size, size_t size) {
    struct head_line reason;
    int status = response_head_status(bytes, head_size, &reason);
    if (status == 0 || status == SWITCHING || status / 100 == REDIRECT)
        return false;
    return !client_handshake_first_line(bytes, head_size, bytes + head_size, size - head_size).whole;
}

/* HTML is meant for browsers, so the status line is reported instead. */
static void client_handshake_report_refusal(int status, struct head_line reason, struct head_line body,
                                            const char *location, struct weir_client_error *error) {
    if (error == NULL)
        return;
    if (status / 100 == REDIRECT && location != NULL)
        client_error(error, WEIR_CLIENT_HTTP, "HTTP %d: redirects are not followed; the server redirects to %s",
                     status, location);
    else if (body.size > 0 && body.text[0] != '<')
        client_error(error, WEIR_CLIENT_HTTP, "HTTP %d: %.*s", status, (int)body.size, body.text);
    else
        client_error(error, WEIR_CLIENT_HTTP, "HTTP %d%s%.*s", status, reason.size > 0 ? " " : "", (int)reason.size,
                     reason.text);
    error->http_status = status;
}

/* --- The 101 ------------------------------------------------------------------------------------------------ */

/* Terminates every line and every value. */
static void client_handshake_split_lines(char *head, size_t head_size) {
    for (size_t i = 0; i + 1 < head_size; i++)
        if (head[i] == '\r' && head[i + 1] == '\n') {
            head[i] = head[i + 1] = '\0';
            for (size_t blank = i; blank > 0 && response_head_is_blank(head[blank - 1]); blank--)
                head[blank - 1] = '\0';
        }
}

/* True for a name, a colon and printable characters (RFC 7230, 3.2); continuation lines are refused (3.2.4). */
static bool client_handshake_is_header(struct head_line line) {
    size_t name_size = strspn(line.text, TOKEN);
    if (name_size == 0 || name_size >= line.size || line.text[name_size] != ':')
        return false;
    for (size_t i = name_size; i < line.size; i++)
        if (((unsigned char)line.text[i] < ' ' && line.text[i] != '\t') || line.text[i] == 0x7F)
            return false;
    return true;
}

/* Refuses a stray CR or LF, which some parsers take for the end of a line and others do not. */
static bool client_handshake_check_lines(const char *head, size_t head_size, struct weir_client_error *error) {
    static const char *const single[] = {"Sec-WebSocket-Accept", "Sec-WebSocket-Protocol",
                                         "Sec-WebSocket-Extensions"};
    struct head_line line, value;
    const char *at = head;
    if (memchr(head, '\r', head_size) != NULL || memchr(head, '\n', head_size) != NULL)
        return client_handshake_reject(error, "a response header contains a stray line end");
    response_head_next_line(&at, head + head_size, &line);
    while (response_head_next_line(&at, head + head_size, &line))
        if (!client_handshake_is_header(line)) {
            client_error(error, WEIR_CLIENT_HANDSHAKE, "the response has a malformed header: \"%.*s\"",
                         (int)(line.size < 100 ? line.size : 100), line.text);
            return false;
        }
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (response_head_find(head, head_size, single[i], &value) > 1) {
            client_error(error, WEIR_CLIENT_HANDSHAKE, "the response has the header %s twice", single[i]);
            return false;
        }
    return true;
}

/* Connection may be spread over several lines (RFC 7230, 3.2.2). */
static bool client_handshake_lists_upgrade(const char *head, size_t head_size) {
    struct head_line line, value;
    for (const char *at = head; response_head_next_line(&at, head + head_size, &line);)
        if (response_head_has_name(line, "Connection", &value) && handshake_has_token(value.text, "Upgrade"))
            return true;
    return false;
}

static bool client_handshake_check_upgrade(const char *head, size_t head_size, const char *key,
                                           struct weir_client_error *error) {
    const char *upgrade = client_handshake_header(head, head_size, "Upgrade");
    const char *accept = client_handshake_header(head, head_size, "Sec-WebSocket-Accept");
    char expected[HANDSHAKE_ACCEPT_SIZE];
    if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0)
        return client_handshake_reject(
            error, "the response is not a valid WebSocket handshake: it has no \"Upgrade: websocket\"");
    if (!client_handshake_lists_upgrade(head, head_size))
        return client_handshake_reject(
            error, "the response is not a valid WebSocket handshake: it has no \"Connection: Upgrade\"");
    if (accept == NULL)
        return client_handshake_reject(
            error, "the response is not a valid WebSocket handshake: it has no Sec-WebSocket-Accept");
    if (!handshake_accept(key, expected))
        return client_handshake_reject(error, "SHA-1 is not available, so the response cannot be checked");
    if (strcmp(accept, expected) != 0)
        return client_handshake_reject(
            error, "the response is not a valid WebSocket handshake: its Sec-WebSocket-Accept does not match this "
                   "request; a cache may have answered it");
    return true;
}

static bool client_handshake_was_offered(const char *const *subprotocols, const char *selected) {
    for (; subprotocols != NULL && *subprotocols != NULL; subprotocols++)
        if (strcmp(*subprotocols, selected) == 0)
            return true;
    return false;
}

/* Takes the subprotocol and extension that the server chose, which must be among those offered. */
static bool client_handshake_take_choices(const char *head, size_t head_size,
                                          const struct weir_client_options *options,
                                          struct client_handshake *handshake, struct weir_client_error *error) {
    struct head_line value;
    if (response_head_find(head, head_size, "Sec-WebSocket-Protocol", &value) > 0) {
        if (!client_handshake_was_offered(options->subprotocols, value.text)) {
            client_error(error, WEIR_CLIENT_HANDSHAKE, "the server selected a subprotocol that was not offered: %s",
                         value.text);
            return false;
        }
        handshake->subprotocol = (char *)(uintptr_t)value.text;
    }
    const char *extensions = client_handshake_header(head, head_size, "Sec-WebSocket-Extensions");
    if (extensions == NULL || (options->compress && extension_check(extensions, &handshake->deflate)))
        return true;
    client_error(error, WEIR_CLIENT_HANDSHAKE,
                 "the server selected an extension, or parameters, that were not offered: \"%s\"", extensions);
    return false;
}

bool client_handshake_check(char *head, size_t head_size, const char *body, size_t body_size,
                            const char key[CLIENT_HANDSHAKE_KEY_SIZE], const struct weir_client_options *options,
                            struct client_handshake *handshake, struct weir_client_error *error) {
    static const struct weir_client_options defaults;
    options = options == NULL ? &defaults : options;
    *handshake = (struct client_handshake){0};
    if (!client_handshake_is_possible(head, head_size, error))
        return false;
    if (memchr(head, '\0', head_size) != NULL)
        return client_handshake_reject(error, "the response headers contain a zero byte");
    client_handshake_split_lines(head, head_size);
    struct head_line reason;
    int status = response_head_status(head, head_size, &reason);
    if (status == 0)
        return client_handshake_reject(error, "the response begins like HTTP, but has no status code");
    if (status != SWITCHING) {
        client_handshake_report_refusal(status, reason,
                                        client_handshake_first_line(head, head_size, body, body_size).line,
                                        client_handshake_header(head, head_size, "Location"), error);
        return false;
    }
    if (strncmp(head, "HTTP/1.0", 8) == 0)
        return client_handshake_reject(error, "the response is a 101 of HTTP/1.0; WebSocket requires HTTP/1.1");
    return client_handshake_check_lines(head, head_size, error) &&
           client_handshake_check_upgrade(head, head_size, key, error) &&
           client_handshake_take_choices(head, head_size, options, handshake, error);
}
