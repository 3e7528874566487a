/* api_publish.c - publishes a request's body to a channel, as the kind that its Content-Type says, and once for
 * each Idempotency-Key.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weir/conn.h>

#include "base/json.h"
#include "base/utf8.h"
#include "server/admin/api_channel.h"
#include "server/channels/channels.h"

enum { KEY_MAX = 255 };

/* --- What it is --------------------------------------------------------------------------------------------- */

static bool type_is(const char *type, size_t size, const char *name) {
    return strlen(name) == size && strncasecmp(type, name, size) == 0;
}

/* Parameters such as a charset are ignored: text must be UTF-8. What `curl -d` sends is text. */
static bool read_type(struct api_call *call, enum publication_kind *kind) {
    const char *type = http_request_header(call->request, "Content-Type");
    size_t size = type == NULL ? 0 : strcspn(type, "; \t");
    if (type == NULL || strncasecmp(type, "text/", 5) == 0 ||
        type_is(type, size, "application/x-www-form-urlencoded"))
        *kind = PUBLICATION_TEXT;
    else if (type_is(type, size, "application/json"))
        *kind = PUBLICATION_JSON;
    else if (type_is(type, size, "application/octet-stream"))
        *kind = PUBLICATION_BINARY;
    else {
        api_error(call->response, 415, "unsupported_type",
                  "Content-Type is application/json, text/plain or application/octet-stream.");
        return false;
    }
    return true;
}

/* The body is published as it comes, so no encoding is accepted (RFC 9110, 8.4 and 12.5.3). */
static bool is_plain(struct api_call *call) {
    const struct http_request *request = call->request;
    const char *coding = http_request_header(request, "Content-Encoding");
    if (coding == NULL ||
        (http_request_count(request, "Content-Encoding") == 1 && strcasecmp(coding, "identity") == 0))
        return true;
    call->response->headers = "Accept-Encoding: identity\r\n";
    api_error(call->response, 415, "unsupported_encoding", "Send the message without Content-Encoding.");
    return false;
}

static bool read_body(struct api_call *call, uint8_t **bytes, size_t *size) {
    size_t max = core_settings(call->api->core)->limits.max_message_size;
    switch (http_request_body(call->request, max, bytes, size)) {
    case HTTP_BODY_READ:
        return true;
    case HTTP_BODY_TOO_LARGE:
        api_error(call->response, 413, "too_large", "A message has at most %zu bytes (max_message_size).", max);
        return false;
    case HTTP_BODY_BROKEN:
        api_error(call->response, 400, "broken_body", "The body broke off, or its chunks are malformed.");
        return false;
    case HTTP_BODY_NO_MEMORY:
        break;
    }
    call->response->headers = "Retry-After: 1\r\n";
    api_error(call->response, 503, "out_of_memory", "There is no memory for the body.");
    return false;
}

static bool is_valid(struct api_call *call, const struct publication *publication) {
    struct json_value value;
    struct json_error error;
    if (publication->kind == PUBLICATION_TEXT && !utf8_valid(publication->data, publication->size)) {
        api_error(call->response, 400, "invalid_text", "The text is not UTF-8.");
        return false;
    }
    if (publication->kind == PUBLICATION_JSON &&
        json_check(publication->data, publication->size, &value, &error) != 0) {
        api_error(call->response, 400, "invalid_json", "At byte %zu: %s.", error.offset, error.what);
        return false;
    }
    return true;
}

/* --- Publishing --------------------------------------------------------------------------------------------- */

static void respond_published(struct http_response *response, const struct idempotency_answer *answer) {
    response->type = "application/json";
    http_respond(response, answer->status, "{\"offset\":%llu,\"subscribers\":%u}\n",
                 (unsigned long long)answer->offset, answer->subscribers);
}

/* Returns false if nothing was published; then that has been answered. */
static bool publish(struct api_call *call, const struct publication *publication,
                    struct idempotency_answer *answer) {
    struct published published = {0};
    enum weir_status result = channels_publish(call->api->core->channels, publication, &published);
    if (result == WEIR_OK) {
        *answer = (struct idempotency_answer){.status = published.subscribers > 0 ? 201 : 202,
                                              .offset = published.offset,
                                              .subscribers = published.subscribers};
        return true;
    }
    call->response->headers = "Retry-After: 1\r\n";
    if (result == WEIR_LIMIT)
        api_error(call->response, 429, "too_many_channels",
                  "There are as many channels as there may be ([channel_limits] max_channels).");
    else
        api_error(call->response, 503, "out_of_memory", "There is no memory for the message.");
    return false;
}

/* --- Once for each key -------------------------------------------------------------------------------------- */

static bool is_key(const char *key) {
    size_t size = strlen(key);
    for (size_t i = 0; i < size; i++)
        if (key[i] < 0x20 || key[i] > 0x7E)
            return false;
    return size >= 1 && size <= KEY_MAX;
}

/* A key belongs to its channel. A request is the same if it has the same bytes and the same kind. */
static void publish_once(struct api_call *call, const struct publication *publication, const char *key) {
    struct idempotency *keys = call->api->keys;
    const struct idempotency_digest whose = idempotency_digest(publication->channel, strlen(publication->channel),
                                                               key, strlen(key)),
                                    what = idempotency_digest(&publication->kind, sizeof publication->kind,
                                                              publication->data, publication->size);
    struct idempotency_answer answer;
    switch (idempotency_begin(keys, &whose, &what, pool_now(), &answer)) {
    case IDEMPOTENCY_OTHER:
        api_error(call->response, 422, "key_reused", "Another message was published under this Idempotency-Key.");
        return;
    case IDEMPOTENCY_REPEATED:
        call->response->headers = "Idempotency-Replayed: true\r\n";
        respond_published(call->response, &answer);
        return;
    case IDEMPOTENCY_FIRST:
        break;
    }
    bool done = publish(call, publication, &answer);
    idempotency_finish(keys, &whose, done ? &answer : NULL);
    if (done)
        respond_published(call->response, &answer);
}

static void publish_checked(struct api_call *call, const struct publication *publication) {
    struct idempotency_answer answer;
    const char *key = http_request_header(call->request, "Idempotency-Key");
    if (key == NULL) {
        if (publish(call, publication, &answer))
            respond_published(call->response, &answer);
    } else if (is_key(key) && http_request_count(call->request, "Idempotency-Key") == 1) {
        publish_once(call, publication, key);
    } else {
        api_error(call->response, 400, "invalid_key", "Idempotency-Key has 1 to %d printable ASCII characters.",
                  KEY_MAX);
    }
}

void api_channel_publish(struct api_call *call) {
    uint8_t *bytes = NULL;
    struct publication publication = {.channel = call->name, .published_by = PUBLISHED_BY_API};
    if (!api_channel_is_named(call) || !is_plain(call) || !read_type(call, &publication.kind) ||
        !read_body(call, &bytes, &publication.size))
        return;
    publication.data = bytes == NULL ? (const void *)"" : bytes;
    if (is_valid(call, &publication))
        publish_checked(call, &publication);
    free(bytes);
}
