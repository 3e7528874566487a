/* http.c - see http.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *http_request_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

size_t http_request_count(const struct http_request *request, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

const char *http_request_list(const struct http_request *request, const char *name, char *text, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) != 0)
            continue;
        const char *value = request->headers[i].value;
        int added = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ", value);
        if (added < 0 || (size_t)added >= size - used)
            return NULL;
        used += (size_t)added;
    }
    return http_request_header(request, name) == NULL ? NULL : text;
}

void http_respond(struct http_response *response, int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    response->status = status;
    vsnprintf(response->body, sizeof response->body, format, arguments);
    va_end(arguments);
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
        {202, "Accepted"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
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
