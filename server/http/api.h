/* api.h - the operators' API: what is below /api on the admin listener. docs/openapi.yaml describes it.
 *
 * It knows who is asked for, not who may ask: that is admin.c's. Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_API_H
#define WEIR_HTTP_API_H

#include "server/core/core.h"
#include "server/http/api_path.h"
#include "server/http/http.h"
#include "server/http/idempotency.h"
#include "server/proto/json_writer.h"

struct api {
    struct core *core;
    struct idempotency *keys;

    /* See admin.h. */
    int (*reload)(void *context, char *text, size_t text_size);
    void *context;
};

/* A request for one of its paths. */
struct api_call {
    struct api *api;
    const struct http_request *request;
    const char *name; /* what stands in the path's place for it; NULL: it has none */
    struct api_query query;
    struct http_response *response;
};

void api_answer(struct api *api, const struct http_request *request, struct http_response *response);

/* {"error":{"code":...,"message":...}} */
void api_error(struct http_response *response, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Answers what has been written, and takes it; or 503 if memory was out. */
void api_respond(struct http_response *response, int status, struct json_writer *writer);

/* `text` as a string, whatever bytes it has: what is not UTF-8 is written as U+FFFD. NULL: null. */
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

/* The number that a parameter says, `otherwise` if it is not given. False: it is wrong, which has been answered. */
bool api_number_of(struct api_call *call, const char *name, uint64_t least, uint64_t most, uint64_t otherwise,
                   uint64_t *number);

#endif
