/* http_server_request.c - see http_server_request.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/civetweb/http_server_request.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "server/http/civetweb/cut_head.h"
#include "server/http/request_check.h"
#include "server/http/target.h"

_Static_assert(MG_MAX_HEADERS == HTTP_HEADERS_MAX, "civetweb has room for as many fields as may be");

static _Thread_local const char *buffer; /* where this thread's buffer of civetweb begins; NULL: not known yet */

/* Restores the target: civetweb has cut the query off if it passes the request on. */
static char *request_whole_target(const struct mg_request_info *info, bool is_cut) {
    if (is_cut && info->query_string != NULL)
        ((char *)info->query_string)[-1] = '?';
    return (char *)info->request_uri;
}

/* civetweb does not tell where its buffer begins, but it comes from malloc(), so it is aligned. Only the first
 * request of a thread can be misjudged, if it begins with many blanks. */
static void request_find_buffer(const char *method) {
    const char *aligned = method - (uintptr_t)method % alignof(max_align_t);
    if (buffer == NULL || aligned < buffer)
        buffer = aligned;
}

/* Returns 0 with the size of the head; or the status of the refusal. */
static int request_check_head(const struct mg_request_info *info, const char *target, size_t *size,
                              const char **why) {
    struct cut_field fields[MG_MAX_HEADERS];
    for (int i = 0; i < info->num_headers; i++)
        fields[i] = (struct cut_field){info->http_headers[i].name, (char *)info->http_headers[i].value};
    request_find_buffer(info->request_method);
    const struct cut_head head = {.buffer = buffer,
                                  .buffer_size = HTTP_HEAD_MAX,
                                  .method = info->request_method,
                                  .target = target,
                                  .version = info->http_version,
                                  .fields = fields,
                                  .field_count = (size_t)info->num_headers,
                                  .fields_max = MG_MAX_HEADERS};
    return cut_head_check(&head, size, why);
}

/* If the target is a whole URI, its host counts, whatever the Host header says (RFC 9112, 3.2.2). */
static void request_replace_host(struct http_header *headers, size_t count, const char *authority) {
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(headers[i].name, "Host") == 0)
            headers[i].value = authority;
}

int http_server_request_read(const struct mg_request_info *info, bool is_cut,
                             struct http_header headers[HTTP_HEADERS_MAX], struct http_request *request,
                             const char **why) {
    char *text = request_whole_target(info, is_cut);
    struct target target;
    size_t head_size;
    int status = request_check_head(info, text, &head_size, why);
    if (status != 0 || (status = target_parse(text, &target, why)) != 0)
        return status;
    for (int i = 0; i < info->num_headers; i++)
        headers[i] = (struct http_header){info->http_headers[i].name, info->http_headers[i].value};
    *request = (struct http_request){
        .method = info->request_method,
        .version = info->http_version,
        .path = target.path,
        .query = target.query,
        .headers = headers,
        .header_count = (size_t)info->num_headers,
        .head_size = head_size,
        .content_length = info->content_length,
        .peer_address = info->remote_addr,
        .peer_port = (uint16_t)info->remote_port,
        .local_port = (uint16_t)info->server_port,
    };
    status = request_check(request, why);
    if (target.authority != NULL)
        request_replace_host(headers, request->header_count, target.authority);
    return status;
}

/* Whether civetweb does not know the method. Then it has not looked at the headers. */
static bool request_is_unknown_method(const struct mg_request_info *info) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", NULL};
    if (info->http_version == NULL || info->num_headers != 0 ||
        (strcmp(info->http_version, "1.1") != 0 && strcmp(info->http_version, "1.0") != 0))
        return false;
    for (size_t i = 0; known[i] != NULL; i++)
        if (strcmp(known[i], info->request_method) == 0)
            return false;
    return true;
}

int http_server_request_explain(const struct mg_request_info *info, const char **why) {
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_request request;
    if (info->num_headers > 0) {
        *why = "the only Transfer-Encoding is chunked";
        int status = http_server_request_read(info, false, headers, &request, why);
        return status == 0 ? 400 : status;
    }
    bool unknown = request_is_unknown_method(info);
    *why = unknown                 ? "no method has this name"
           : info->num_headers < 0 ? "a header line is not NAME: VALUE, or does not end with CR LF"
                                   : "the request line is not METHOD TARGET HTTP/1.1";
    return unknown ? 501 : 400;
}
