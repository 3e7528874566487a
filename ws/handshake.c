/* handshake.c - checks an upgrade request (RFC 6455, 4.2.1) and answers its key (4.2.2). Pure functions, any
 * thread. It chooses no extension. The only file in ws/ that needs libcrypto.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#define BLANKS       " \t"
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define BASE64       ALPHANUMERIC "+/"

enum { KEY_SIZE = 24 }; /* 16 bytes in base64 */

/* The length of a list's element, including the blanks after it: up to a comma that is not within quotes. */
static size_t element_size(const char *element) {
    size_t size = 0;
    for (bool quoted = false; element[size] != '\0' && (quoted || element[size] != ','); size++)
        quoted ^= element[size] == '"';
    return size;
}

/* An element that is not a token never matches, and does not affect the other elements. */
static bool list_has(const char *list, const char *token, int (*compare)(const char *, const char *, size_t)) {
    while (list != NULL && *list != '\0') {
        list += strspn(list, BLANKS ",");
        size_t whole = element_size(list), size = whole;
        while (size > 0 && strchr(BLANKS, list[size - 1]) != NULL)
            size--;
        if (size == strlen(token) && compare(list, token, size) == 0)
            return true;
        list += whole;
    }
    return false;
}

bool handshake_has_token(const char *list, const char *token) {
    return list_has(list, token, strncasecmp);
}

const char *handshake_select(char *const *preferred, const char *offered) {
    for (; preferred != NULL && *preferred != NULL; preferred++)
        if (list_has(offered, *preferred, strncmp))
            return *preferred;
    return NULL;
}

bool handshake_wanted(const struct handshake_request *request) {
    return handshake_has_token(request->upgrade, "websocket");
}

/* Returns a header's value without the blanks around it, or an empty one if it is missing. */
static const char *trim(const char *value, size_t *size) {
    if (value == NULL)
        value = "";
    value += strspn(value, BLANKS);
    *size = strlen(value);
    while (*size > 0 && strchr(BLANKS, value[*size - 1]) != NULL)
        (*size)--;
    return value;
}

static bool equals(const char *value, const char *expected) {
    size_t size;
    value = trim(value, &size);
    return size == strlen(expected) && memcmp(value, expected, size) == 0;
}

/* Whether the version is "1.1" or higher. An HTTP version is a digit, a dot and a digit (RFC 7230, 2.6). */
static bool version_is_recent(const char *version) {
    static const char digits[] = "0123456789";
    if (version == NULL || strlen(version) != 3 || strspn(version, digits) != 1 || version[1] != '.' ||
        strspn(version + 2, digits) != 1)
        return false;
    return strcmp(version, "1.1") >= 0;
}

/* 16 bytes are 22 characters and "==". The last character has four bits more than needed, which need not be zero:
 * they are not in the RFC's own example (1.3), and RFC 4648, 3.5 leaves it to the decoder. */
static bool key_is_valid(const char *key, size_t size) {
    return size == KEY_SIZE && strspn(key, BASE64) == KEY_SIZE - 2 && memcmp(key + KEY_SIZE - 2, "==", 2) == 0;
}

bool handshake_accept(const char *key, char accept[HANDSHAKE_ACCEPT_SIZE]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char text[KEY_SIZE + sizeof guid - 1], digest[SHA_DIGEST_LENGTH];
    memcpy(text, key, KEY_SIZE);
    memcpy(text + KEY_SIZE, guid, sizeof guid - 1);
    if (SHA1(text, sizeof text, digest) == NULL)
        return false;
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    return true;
}

static int verdict(int status, const char *reason, const char **why) {
    *why = reason;
    return status;
}

static bool is_sent(const char *value) {
    size_t size;
    trim(value, &size);
    return size > 0;
}

/* Checks in the order in which a person would correct the request: the most basic fault is the one reported. */
int handshake_check(const struct handshake_request *request, char accept[HANDSHAKE_ACCEPT_SIZE], const char **why) {
    size_t key_size;
    const char *key = trim(request->key, &key_size);

    if (request->method == NULL || strcmp(request->method, "GET") != 0)
        return verdict(405, "a WebSocket handshake is a GET request", why);
    if (!version_is_recent(request->http_version))
        return verdict(400, "a WebSocket handshake needs HTTP/1.1; in nginx: proxy_http_version 1.1", why);
    if (!is_sent(request->host))
        return verdict(400, "the Host header is missing or empty", why);
    if (!handshake_wanted(request))
        return verdict(426, "this is a WebSocket endpoint: send Upgrade: websocket", why);
    if (!handshake_has_token(request->connection, "Upgrade"))
        return verdict(400, "the Connection header does not list Upgrade; a proxy must pass it on", why);
    if (!is_sent(request->version))
        return verdict(426, "the Sec-WebSocket-Version header is missing; it must be 13", why);
    if (!equals(request->version, "13"))
        return verdict(426, "Sec-WebSocket-Version must be 13", why);
    if (request->repeated)
        return verdict(400, "Host or Sec-WebSocket-Key was sent more than once", why);
    if (key_size == 0)
        return verdict(400, "the Sec-WebSocket-Key header is missing", why);
    if (!key_is_valid(key, key_size))
        return verdict(400, "Sec-WebSocket-Key is not 16 bytes in base64", why);
    if (request->has_body)
        return verdict(400, "a WebSocket handshake has no body", why);
    if (!handshake_accept(key, accept))
        return verdict(500, "SHA-1 is not available", why);
    return verdict(101, "", why);
}
