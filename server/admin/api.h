/* api.h - the operators' API: what is below /api on the admin listener. docs/openapi.yaml describes it.
 *
 * It knows what a request asks for. Whether the client may ask is decided in admin.c. Any thread may call it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_API_H
#define WEIR_ADMIN_API_H

#include "base/json_writer.h"
#include "server/admin/api_path.h"
#include "server/admin/idempotency.h"
#include "server/core/core.h"
#include "server/http/http.h"

struct api {
    struct core *core;
    struct idempotency *keys;

    /* See struct admin_options in admin.h. */
    int (*reload)(void *context, char *text, size_t text_size);
    void *context;
};

/* A request for one of the API's paths. */
struct api_call {
    struct api *api;
    const struct http_request *request;
    const char *name; /* the name in the path, decoded; NULL: it has none */
    struct api_query query;
    struct http_response *response;
};

void api_answer(struct api *api, const struct http_request *request, struct http_response *response);

/* Answers {"error":{"code":...,"message":...}}. */
void api_error(struct http_response *response, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Answers with what has been written, and takes over its memory; or with 503 if memory was out. */
void api_respond(struct http_response *response, int status, struct json_writer *writer);

/* Writes `text` as a string, whatever bytes it has: bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void api_write_string(struct json_writer *writer, const char *text);

/* --- What there is ------------------------------------------------------------------------------------------ */

void api_channels_list(struct api_call *call);
void api_channel_look(struct api_call *call);
void api_channel_close(struct api_call *call);
void api_channel_presence(struct api_call *call);
void api_channel_publish(struct api_call *call);
void api_channel_history(struct api_call *call);
void api_connections_list(struct api_call *call);
void api_connection_look(struct api_call *call);
void api_connection_close(struct api_call *call);

/* Reads the number in a parameter, or `otherwise` if it is not given. Returns false if it is wrong; then that has
 * been answered. */
bool api_number_of(struct api_call *call, const char *name, uint64_t least, uint64_t most, uint64_t otherwise,
                   uint64_t *number);

#endif
