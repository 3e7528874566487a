/* http.h - a request and its answer as plain data, so that code that decides needs no HTTP library.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HTTP_H
#define WEIR_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct http_header {
    const char *name, *value;
};

/* A request with more fields, or with a larger head, is refused (431). */
enum { HTTP_HEADERS_MAX = 64, HTTP_HEAD_MAX = 16384 };

/* A body that is still to be read; the code that knows the connection provides it. */
struct http_body {
    /* Waits for `size` bytes; returns fewer only at the end. Returns -1 if the client broke off, is wrong, or is
     * too slow. */
    long (*read)(struct http_body *body, void *bytes, size_t size);
    long long length; /* -1: it comes in chunks (RFC 7230, 4.1) */
    bool ended;       /* all of it has been read, so the connection can be kept */
};

enum http_socket_result {
    HTTP_SOCKET_TAKEN,
    HTTP_SOCKET_EARLY, /* the client sent data before it had the 101 (RFC 6455, 4.1) */
    HTTP_SOCKET_GONE,  /* the client has reset its connection in the meantime */
    HTTP_SOCKET_FAILED /* descriptors or memory are exhausted, or the socket cannot be told from others */
};

struct http_request;

/* The socket of a request that can be taken out of the HTTP server; the code that knows the connection provides
 * it. */
struct http_socket {
    /* Takes the socket; then the response is 101. Nothing changes unless it returns HTTP_SOCKET_TAKEN. Then *fd
     * belongs to the caller, who calls descriptors_unmark_adopted() before closing it. *why is a constant text for
     * the log. */
    enum http_socket_result (*take)(struct http_socket *socket, const struct http_request *request, int *fd,
                                    const char **why);
};

/* Valid while the request is being answered. */
struct http_request {
    const char *method;
    const char *version; /* "1.1" */
    const char *path;    /* raw, without the query; "*" for the asterisk of OPTIONS */
    const char *query;   /* raw, without '?'; "" if there is none */
    const struct http_header *headers;
    size_t header_count;
    size_t head_size;           /* bytes of the request line and the fields on the wire */
    long long content_length;   /* -1: none is given */
    struct http_body *body;     /* NULL: none is announced, or it cannot be read here */
    struct http_socket *socket; /* NULL: it cannot be taken */
    const char *peer_address;   /* numeric */
    const char *local_address;  /* the address that the client connected to, numeric; NULL: not known */
    uint16_t peer_port, local_port;
};

/* The first header of that name, without regard to case; NULL if there is none. */
const char *http_request_header(const struct http_request *request, const char *name);

/* The peer's address, without the zone that follows a link-local one. */
struct address http_request_peer(const struct http_request *request);

/* Memory for header lists that were sent in several lines. All lists of one head fit, if each is read once. */
struct http_lists {
    size_t used; /* 0 at first */
    char text[HTTP_HEAD_MAX];
};

/* All headers of that name, joined with ", " if there are several (RFC 9110, 5.3). NULL if there is none. Valid as
 * long as the request and `lists` are. */
const char *http_request_list(const struct http_request *request, const char *name, struct http_lists *lists);

size_t http_request_count(const struct http_request *request, const char *name);

/* Returns true for a token (RFC 9110, 5.6.2), such as a field's name. */
bool http_is_token(const char *text, size_t size);

enum http_body_result { HTTP_BODY_READ, HTTP_BODY_TOO_LARGE, HTTP_BODY_BROKEN, HTTP_BODY_NO_MEMORY };

/* Reads the whole body, of `max` bytes at most, into the heap; a longer one is not read to its end. *bytes is NULL
 * if there is no body. */
enum http_body_result http_request_body(const struct http_request *request, size_t max, uint8_t **bytes,
                                        size_t *size);

enum { HTTP_BODY_MAX = 4096 };

/* An answer. All zero means none yet. */
struct http_response {
    int status;          /* 101: the connection has been taken over, and there is nothing to send */
    const char *headers; /* whole lines, each with its CRLF; a constant, or NULL */
    char *more_headers;  /* the same, in the heap; NULL: none */
    const char *type;    /* of the body; NULL: text/plain */
    char body[HTTP_BODY_MAX];
    char *long_body; /* in the heap; replaces `body`. NULL: none */
    size_t long_size;
};

/* Frees what is in the heap. */
void http_response_release(struct http_response *response);

/* Sets status and body. Formats like printf; cuts the body to fit. */
void http_respond(struct http_response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends text to the body. Formats like printf; cuts the body to fit. */
void http_append(struct http_response *response, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "Not Found" for 404. */
const char *http_status_text(int status);

#endif
