/* client_handshake.c - writes the request of the opening handshake (RFC 6455, 4.1). No sockets; any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "client/client_handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "client/error.h"
#include "ws/extension_response.h"

#define TOKEN                                                                                                      \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~" /* RFC 7230, 3.2.6             \
                                                                                     */

enum { KEY_BYTES = 16 };

bool client_handshake_key(char key[CLIENT_HANDSHAKE_KEY_SIZE]) {
    unsigned char bytes[KEY_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) /* a request this small is filled completely, or fails */
        return false;
    EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
    return true;
}

/* --- The caller's headers and subprotocols ------------------------------------------------------------------ */

static bool client_handshake_is_token(const char *text, size_t size) {
    return size > 0 && strspn(text, TOKEN) >= size;
}

/* True if no character could end the line or act as a control. Bytes above ASCII are allowed (RFC 7230, 3.2.6). */
static bool client_handshake_is_value(const char *text) {
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7F)
            return false;
    return true;
}

/* True for a header that the handshake sets itself, or that announces a body, which it does not have. */
static bool client_handshake_is_reserved(const char *name, size_t size, const struct url *url,
                                         const struct weir_client_options *options) {
    static const char *const names[] = {"Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding"};
    static const char prefix[] = "Sec-WebSocket-";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (size == strlen(names[i]) && strncasecmp(name, names[i], size) == 0)
            return true;
    if (size >= sizeof prefix - 1 && strncasecmp(name, prefix, sizeof prefix - 1) == 0)
        return true;
    if (size == strlen("Origin") && strncasecmp(name, "Origin", size) == 0)
        return options->origin != NULL;
    return url->user[0] != '\0' && size == strlen("Authorization") && strncasecmp(name, "Authorization", size) == 0;
}

static bool client_handshake_check_header(const char *header, const struct url *url,
                                          const struct weir_client_options *options,
                                          struct weir_client_error *error) {
    size_t name_size = strcspn(header, ":");
    if (header[name_size] != ':' || !client_handshake_is_token(header, name_size) ||
        !client_handshake_is_value(header + name_size))
        client_error(error, WEIR_CLIENT_BAD_ARGUMENT, "the header \"%.100s\" is not of the form \"Name: value\"",
                     header);
    else if (client_handshake_is_reserved(header, name_size, url, options))
        client_error(error, WEIR_CLIENT_BAD_ARGUMENT, "the handshake sets the header %.*s itself; leave it out",
                     (int)name_size, header);
    else
        return true;
    return false;
}

static bool client_handshake_check_headers(const struct url *url, const struct weir_client_options *options,
                                           struct weir_client_error *error) {
    for (const char *const *header = options->headers; header != NULL && *header != NULL; header++)
        if (!client_handshake_check_header(*header, url, options, error))
            return false;
    if (options->origin == NULL || (options->origin[0] != '\0' && client_handshake_is_value(options->origin)))
        return true;
    client_error(error, WEIR_CLIENT_BAD_ARGUMENT,
                 "\"%.100s\" is not a valid Origin; write it like https://example.com", options->origin);
    return false;
}

/* Subprotocols must be tokens, and all different (4.1). */
static bool client_handshake_check_subprotocols(const char *const *subprotocols, struct weir_client_error *error) {
    for (size_t i = 0; subprotocols != NULL && subprotocols[i] != NULL; i++) {
        const char *name = subprotocols[i];
        if (!client_handshake_is_token(name, strlen(name))) {
            client_error(error, WEIR_CLIENT_BAD_ARGUMENT,
                         "\"%.100s\" is not a valid subprotocol; use letters, digits and !#$%%&'*+-.^_`|~", name);
            return false;
        }
        for (size_t other = 0; other < i; other++)
            if (strcmp(name, subprotocols[other]) == 0) {
                client_error(error, WEIR_CLIENT_BAD_ARGUMENT, "the subprotocol %.100s is listed twice", name);
                return false;
            }
    }
    return true;
}

/* --- Writing ------------------------------------------------------------------------------------------------ */

static void client_handshake_write_target(FILE *out, const struct url *url) {
    fprintf(out, "GET %s%.*s HTTP/1.1\r\n", url->target_size == 0 || url->target[0] == '?' ? "/" : "",
            (int)url->target_size, url->target);
}

/* Leaves out the zone of an IPv6 address, which has a meaning on this machine only (RFC 6874, 4). */
static void client_handshake_write_host(FILE *out, const struct url *url) {
    int host_size = (int)(url->host_is_ipv6 ? strcspn(url->host, "%") : strlen(url->host));
    fprintf(out, url->host_is_ipv6 ? "Host: [%.*s]" : "Host: %.*s", host_size, url->host);
    fprintf(out, url->port_given ? ":%s\r\n" : "\r\n", url->port);
}

/* Adds an empty password if there is none, because Basic authentication requires one (RFC 7617, 2). */
static void client_handshake_write_user(FILE *out, const struct url *url) {
    enum { TEXT_SIZE = URL_USER_SIZE + 1, BASE64_SIZE = (TEXT_SIZE + 2) / 3 * 4 + 1 };
    if (url->user[0] == '\0')
        return;
    char text[TEXT_SIZE];
    unsigned char base64[BASE64_SIZE];
    int size = snprintf(text, sizeof text, "%s%s", url->user, strchr(url->user, ':') == NULL ? ":" : "");
    EVP_EncodeBlock(base64, (const unsigned char *)text, size);
    fprintf(out, "Authorization: Basic %s\r\n", base64);
}

static void client_handshake_write_subprotocols(FILE *out, const char *const *subprotocols) {
    if (subprotocols == NULL || *subprotocols == NULL)
        return;
    fprintf(out, "Sec-WebSocket-Protocol: %s", *subprotocols);
    while (*++subprotocols != NULL)
        fprintf(out, ", %s", *subprotocols);
    fputs("\r\n", out);
}

static void client_handshake_write_request(FILE *out, const struct url *url,
                                           const struct weir_client_options *options, const char *key) {
    client_handshake_write_target(out, url);
    client_handshake_write_host(out, url);
    fputs("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", out);
    fprintf(out, "Sec-WebSocket-Key: %s\r\n", key);
    client_handshake_write_subprotocols(out, options->subprotocols);
    if (options->compress)
        fputs("Sec-WebSocket-Extensions: " EXTENSION_OFFER "\r\n", out);
    if (options->origin != NULL)
        fprintf(out, "Origin: %s\r\n", options->origin);
    client_handshake_write_user(out, url);
    for (const char *const *header = options->headers; header != NULL && *header != NULL; header++)
        fprintf(out, "%s\r\n", *header);
    fputs("\r\n", out);
}

char *client_handshake_request(const struct url *url, const struct weir_client_options *options,
                               const char key[CLIENT_HANDSHAKE_KEY_SIZE], struct weir_client_error *error) {
    static const struct weir_client_options defaults;
    options = options == NULL ? &defaults : options;
    if (!client_handshake_check_headers(url, options, error) ||
        !client_handshake_check_subprotocols(options->subprotocols, error))
        return NULL;
    char *request = NULL;
    size_t size;
    FILE *out = open_memstream(&request, &size);
    if (out != NULL) {
        client_handshake_write_request(out, url, options, key);
        bool whole = ferror(out) == 0;
        if (fclose(out) == 0 && whole)
            return request;
        free(request);
    }
    client_error(error, WEIR_CLIENT_NO_MEMORY, "out of memory for the request");
    return NULL;
}
