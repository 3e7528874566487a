/* http.c - see http.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

const char *http_request_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

struct address http_request_peer(const struct http_request *request) {
    char text[ADDRESS_TEXT_SIZE];
    struct address peer = {{0}};
    snprintf(text, sizeof text, "%.*s", (int)strcspn(request->peer_address, "%"), request->peer_address);
    address_parse(text, &peer);
    return peer;
}

size_t http_request_count(const struct http_request *request, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

/* Returns false if it does not fit. */
static bool http_append_item(struct http_lists *lists, const char *separator, const char *value) {
    size_t room = sizeof lists->text - lists->used;
    int added = snprintf(lists->text + lists->used, room, "%s%s", separator, value);
    if (added < 0 || (size_t)added >= room)
        return false;
    lists->used += (size_t)added;
    return true;
}

/* On the wire each line also has its name, a colon and CR LF, so joined lists are never longer than the head. */
const char *http_request_list(const struct http_request *request, const char *name, struct http_lists *lists) {
    if (http_request_count(request, name) < 2)
        return http_request_header(request, name);
    const char *joined = lists->text + lists->used;
    const char *separator = "";
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) != 0)
            continue;
        if (!http_append_item(lists, separator, request->headers[i].value))
            return NULL;
        separator = ", ";
    }
    lists->used++; /* the terminator */
    return joined;
}

/* --- The body ----------------------------------------------------------------------------------------------- */

enum { CHUNKED_FIRST_SIZE = 16384 };

static enum http_body_result http_read_known(struct http_body *body, uint8_t **bytes, size_t *size) {
    *size = (size_t)body->length;
    if ((*bytes = malloc(*size)) == NULL)
        return HTTP_BODY_NO_MEMORY;
    return body->read(body, *bytes, *size) == body->length ? HTTP_BODY_READ : HTTP_BODY_BROKEN;
}

/* Reads into memory that grows with what has come. It asks for one byte more than allowed, to notice a longer
 * body. */
static enum http_body_result http_read_chunked(struct http_body *body, size_t max, uint8_t **bytes, size_t *size) {
    size_t capacity = 0;
    for (;;) {
        size_t wanted = capacity == 0 ? CHUNKED_FIRST_SIZE : 2 * capacity;
        if (wanted > max)
            wanted = max + 1;
        uint8_t *larger = realloc(*bytes, wanted);
        if (larger == NULL)
            return HTTP_BODY_NO_MEMORY;
        *bytes = larger;
        capacity = wanted;
        long got = body->read(body, *bytes + *size, capacity - *size);
        if (got < 0)
            return HTTP_BODY_BROKEN;
        *size += (size_t)got;
        if (*size > max)
            return HTTP_BODY_TOO_LARGE;
        if (*size < capacity)
            return HTTP_BODY_READ;
    }
}

enum http_body_result http_request_body(const struct http_request *request, size_t max, uint8_t **bytes,
                                        size_t *size) {
    struct http_body *body = request->body;
    *bytes = NULL;
    *size = 0;
    if (body == NULL || body->length == 0)
        return HTTP_BODY_READ;
    if (body->length > 0 && (unsigned long long)body->length > max)
        return HTTP_BODY_TOO_LARGE;
    enum http_body_result result =
        body->length > 0 ? http_read_known(body, bytes, size) : http_read_chunked(body, max, bytes, size);
    if (result == HTTP_BODY_READ)
        return result;
    free(*bytes);
    *bytes = NULL;
    return result;
}

/* --- The answer --------------------------------------------------------------------------------------------- */

void http_respond(struct http_response *response, int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    response->status = status;
    vsnprintf(response->body, sizeof response->body, format, arguments);
    va_end(arguments);
    utf8_mend(response->body);
}

void http_append(struct http_response *response, const char *format, ...) {
    size_t used = strlen(response->body);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(response->body + used, sizeof response->body - used, format, arguments);
    va_end(arguments);
}

const char *http_status_text(int status) {
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Entity"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return status < 500 ? "Refused" : "Error";
}

void http_response_release(struct http_response *response) {
    free(response->long_body);
    free(response->more_headers);
}

bool http_is_token(const char *text, size_t size) {
    static const char characters[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || strchr(characters, text[i]) == NULL)
            return false;
    return size > 0;
}
