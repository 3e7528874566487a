/* api.c - see api.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/admin/api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define JSON_TYPE "application/json"

/* --- Answers ------------------------------------------------------------------------------------------------ */

void api_respond(struct http_response *response, int status, struct json_writer *writer) {
    json_write_literal(writer, "\n");
    if (writer->failed) {
        json_writer_release(writer);
        response->headers = "Retry-After: 1\r\n";
        response->type = JSON_TYPE;
        http_respond(response, 503, "{\"error\":{\"code\":\"out_of_memory\",\"message\":\"Out of memory.\"}}\n");
        return;
    }
    response->status = status;
    response->type = JSON_TYPE;
    response->long_body = (char *)writer->bytes;
    response->long_size = writer->size;
}

void api_error(struct http_response *response, int status, const char *code, const char *format, ...) {
    char message[512];
    struct json_writer writer = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    json_begin_object(&writer);
    json_key(&writer, "error");
    json_begin_object(&writer);
    json_key(&writer, "code");
    json_write_string(&writer, code);
    json_key(&writer, "message");
    api_write_string(&writer, message);
    json_end_object(&writer);
    json_end_object(&writer);
    api_respond(response, status, &writer);
}

void api_write_string(struct json_writer *writer, const char *text) {
    struct json_writer whole = {0};
    if (text == NULL) {
        json_write_literal(writer, "null");
        return;
    }
    for (size_t size; *text != '\0'; text += size == 0 ? 1 : size) {
        size = utf8_character(text);
        if (size == 0)
            json_write_literal(&whole, "\xEF\xBF\xBD");
        else
            json_write(&whole, text, size);
    }
    json_write_text(writer, whole.bytes, whole.size);
    writer->failed = writer->failed || whole.failed;
    json_writer_release(&whole);
}

bool api_number_of(struct api_call *call, const char *name, uint64_t least, uint64_t most, uint64_t otherwise,
                   uint64_t *number) {
    if (api_query_number(&call->query, name, least, most, otherwise, number))
        return true;
    api_error(call->response, 400, "invalid_query", "%s is a whole number from %" PRIu64 " to %" PRIu64 ".", name,
              least, most);
    return false;
}

static void api_reload(struct api_call *call) {
    char text[HTTP_BODY_MAX - 2];
    struct json_writer writer = {0};
    int result = call->api->reload(call->api->context, text, sizeof text);
    if (result == 0) {
        api_error(call->response, 409, "refused", "%s", text);
        return;
    }
    json_begin_object(&writer);
    json_key(&writer, "message");
    api_write_string(&writer, text);
    json_end_object(&writer);
    api_respond(call->response, result > 0 ? 200 : 202, &writer);
}

/* --- Paths -------------------------------------------------------------------------------------------------- */

enum { METHODS_MAX = 2, PATTERN_MAX = 3 };

struct method {
    const char *name; /* NULL: the end */
    void (*answer)(struct api_call *call);
    const char *parameters[API_PARAMETERS_MAX + 1];
};

static const char any_name[] = "{name}";

static const struct path {
    const char *segments[PATTERN_MAX + 1];
    const char *allow;
    struct method methods[METHODS_MAX];
} paths[] = {
    {{"channels"}, "Allow: GET, HEAD\r\n", {{"GET", api_channels_list, {"limit", "cursor", "prefix"}}}},
    {{"channels", any_name},
     "Allow: GET, HEAD, DELETE\r\n",
     {{"GET", api_channel_look, {NULL}}, {"DELETE", api_channel_close, {NULL}}}},
    {{"channels", any_name, "messages"},
     "Allow: GET, HEAD, POST\r\n",
     {{"POST", api_channel_publish, {NULL}}, {"GET", api_channel_history, {"since", "limit"}}}},
    {{"channels", any_name, "presence"}, "Allow: GET, HEAD\r\n", {{"GET", api_channel_presence, {"limit"}}}},
    {{"connections"}, "Allow: GET, HEAD\r\n", {{"GET", api_connections_list, {"limit", "cursor"}}}},
    {{"connections", any_name},
     "Allow: GET, HEAD, DELETE\r\n",
     {{"GET", api_connection_look, {NULL}}, {"DELETE", api_connection_close, {"code", "reason"}}}},
    {{"reload"}, "Allow: POST\r\n", {{"POST", api_reload, {NULL}}}},
};

static bool api_fits(const struct path *path, const struct api_path *asked) {
    size_t i = 0;
    for (; i < asked->count && path->segments[i] != NULL; i++)
        if (path->segments[i] != any_name && strcmp(path->segments[i], asked->segments[i]) != 0)
            return false;
    return i == asked->count && path->segments[i] == NULL;
}

static const struct path *api_find_path(const struct api_path *asked) {
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (api_fits(&paths[i], asked))
            return &paths[i];
    return NULL;
}

static const struct method *api_find_method(const struct path *path, const char *name) {
    const char *wanted = strcmp(name, "HEAD") == 0 ? "GET" : name;
    for (size_t i = 0; i < METHODS_MAX && path->methods[i].name != NULL; i++)
        if (strcmp(path->methods[i].name, wanted) == 0)
            return &path->methods[i];
    return NULL;
}

static void api_answer_method(struct api_call *call, const struct method *method) {
    const char *name;
    size_t name_size;
    const char *wrong = api_query_parse(call->request->query, method->parameters, &call->query, &name, &name_size);
    if (wrong == NULL)
        method->answer(call);
    else
        api_error(call->response, 400, "invalid_query", "The parameter '%.*s' %s.",
                  (int)(name_size < 64 ? name_size : 64), name, wrong);
}

static void api_answer_unknown(const struct http_request *request, struct http_response *response) {
    static const char channels[] = "/api/channels/";
    bool within_channel = strncmp(request->path, channels, sizeof channels - 1) == 0;
    api_error(response, 404, "not_found", "There are channels, connections and reload below /api.%s",
              within_channel ? " In a channel's name / is written as %2F." : "");
}

void api_answer(struct api *api, const struct http_request *request, struct http_response *response) {
    struct api_path asked;
    enum api_path_result result = api_path_parse(request->path, &asked);
    if (result == API_PATH_MALFORMED) {
        api_error(response, 400, "invalid_path",
                  "The path has a %% that is not followed by two hex digits, or %%00.");
        return;
    }
    const struct path *path = result == API_PATH_DONE ? api_find_path(&asked) : NULL;
    if (path == NULL) {
        api_answer_unknown(request, response);
        return;
    }
    const struct method *method = api_find_method(path, request->method);
    if (method == NULL) {
        response->headers = path->allow;
        api_error(response, 405, "method_not_allowed", "This path has other methods: see Allow.");
        return;
    }
    struct api_call call = {
        .api = api, .request = request, .name = asked.count > 1 ? asked.segments[1] : NULL, .response = response};
    api_answer_method(&call, method);
}
