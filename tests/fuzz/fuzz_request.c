/* fuzz_request.c - requests of weir.v1: what comes out keeps the protocol's limits and lies within the input;
 * written again from its parts, it comes apart into the same. What is wrong is told in one line of UTF-8.
 *
 * The input is the message.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "server/channels/request.h"
#include "tests/fuzz/fuzz.h"

static const char *const types[REQUEST_TYPES] = {"subscribe", "unsubscribe", "publish", "presence", "ping"};

static bool lies_within(const struct json_value *value, const uint8_t *text, size_t size) {
    return value->bytes >= text && value->bytes + value->size <= text + size;
}

/* Of a request that is wrong too. */
static void check_names(const struct request *request, const uint8_t *text, size_t size) {
    if (request->id.size > 0) {
        FUZZ_REQUIRE(lies_within(&request->id, text, size));
        FUZZ_REQUIRE(request->id.type == JSON_STRING || request->id.type == JSON_NUMBER);
        FUZZ_REQUIRE(request->id.size <= REQUEST_ID_MAX + (request->id.type == JSON_STRING ? 2 : 0));
    }
    if (request->channel[0] != '\0')
        FUZZ_REQUIRE(channel_name_valid(request->channel, strlen(request->channel)));
}

static void check_values(const struct request *request, const uint8_t *text, size_t size) {
    FUZZ_REQUIRE((unsigned)request->type < REQUEST_TYPES);
    FUZZ_REQUIRE((request->channel[0] != '\0') == (request->type != REQUEST_PING));
    FUZZ_REQUIRE((request->data.size > 0) == (request->type == REQUEST_PUBLISH));
    FUZZ_REQUIRE(request->data.size == 0 || lies_within(&request->data, text, size));
    FUZZ_REQUIRE(!request->recover || (request->type == REQUEST_SUBSCRIBE && request->since <= UINT64_C(1) << 53));
    FUZZ_REQUIRE(request->epoch[0] == '\0' || request->recover);
    FUZZ_REQUIRE(utf8_valid((const uint8_t *)request->epoch, strlen(request->epoch)));
    FUZZ_REQUIRE(request->last <= (request->type == REQUEST_SUBSCRIBE ? REQUEST_LAST_MAX : 0));
    FUZZ_REQUIRE(!request->presence || request->type == REQUEST_SUBSCRIBE);
}

static void write_again(const struct request *request, struct json_writer *writer) {
    json_write_literal(writer, "{\"type\":");
    json_write_string(writer, types[request->type]);
    if (request->channel[0] != '\0') {
        json_write_literal(writer, ",\"channel\":");
        json_write_string(writer, request->channel);
    }
    if (request->id.size > 0) {
        json_write_literal(writer, ",\"id\":");
        json_write(writer, request->id.bytes, request->id.size);
    }
    if (request->data.size > 0) {
        json_write_literal(writer, ",\"data\":");
        json_write(writer, request->data.bytes, request->data.size);
    }
    if (request->recover) {
        json_write_literal(writer, ",\"since\":");
        json_write_number(writer, request->since);
    }
    if (request->epoch[0] != '\0') {
        json_write_literal(writer, ",\"epoch\":");
        json_write_string(writer, request->epoch);
    }
    if (request->last > 0) {
        json_write_literal(writer, ",\"last\":");
        json_write_number(writer, request->last);
    }
    json_write_literal(writer, request->presence ? ",\"presence\":true}" : "}");
    FUZZ_REQUIRE(!writer->failed);
}

static bool is_same_value(const struct json_value *a, const struct json_value *b) {
    return a->size == b->size && (a->size == 0 || (a->type == b->type && memcmp(a->bytes, b->bytes, a->size) == 0));
}

static void check_again(const struct request *request) {
    struct json_writer writer = {0};
    struct request again;
    struct request_error error;
    write_again(request, &writer);
    FUZZ_REQUIRE(request_parse(writer.bytes, writer.size, &again, &error) == 0);
    FUZZ_REQUIRE(again.type == request->type && strcmp(again.channel, request->channel) == 0);
    FUZZ_REQUIRE(is_same_value(&again.id, &request->id) && is_same_value(&again.data, &request->data));
    FUZZ_REQUIRE(again.recover == request->recover && (!again.recover || again.since == request->since));
    FUZZ_REQUIRE(strcmp(again.epoch, request->epoch) == 0 && again.last == request->last);
    FUZZ_REQUIRE(again.presence == request->presence);
    json_writer_release(&writer);
}

static void check_error(const struct request_error *error) {
    static const char *const codes[] = {"invalid_json", "invalid_message", "unknown_type", "invalid_channel"};
    size_t code = 0, size = strlen(error->message);
    while (code < sizeof codes / sizeof *codes && strcmp(error->code, codes[code]) != 0)
        code++;
    FUZZ_REQUIRE(code < sizeof codes / sizeof *codes);
    FUZZ_REQUIRE(size > 0 && size < sizeof error->message - 1); /* not cut */
    FUZZ_REQUIRE(utf8_valid((const uint8_t *)error->message, size));
    for (size_t i = 0; i < size; i++)
        FUZZ_REQUIRE((uint8_t)error->message[i] >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    uint8_t *text = fuzz_allocate(size);
    if (size > 0)
        memcpy(text, input, size);
    struct request request;
    struct request_error error;
    int result = request_parse(text, size, &request, &error);
    check_names(&request, text, size);
    if (result == 0) {
        check_values(&request, text, size);
        check_again(&request);
    } else {
        check_error(&error);
    }
    free(text);
    return 0;
}
