/* request.c - see request.h. The fields are collected first, since "type", which says what the others mean, may
 * come last.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/request.h"

#include <stdarg.h>
#include <stdio.h>

enum request_field {
    FIELD_TYPE,
    FIELD_ID,
    FIELD_CHANNEL,
    FIELD_DATA,
    FIELD_SINCE,
    FIELD_EPOCH,
    FIELD_LAST,
    FIELD_PRESENCE,
    FIELDS
};

#define BIT(field) (1u << (field))

static const char *const request_field_names[FIELDS] = {"type",  "id",    "channel", "data",
                                                        "since", "epoch", "last",    "presence"};

static const struct {
    const char *name;
    unsigned required, optional; /* in addition to type and id */
} request_types[REQUEST_TYPES] = {
    [REQUEST_SUBSCRIBE] = {"subscribe", BIT(FIELD_CHANNEL),
                           BIT(FIELD_SINCE) | BIT(FIELD_EPOCH) | BIT(FIELD_LAST) | BIT(FIELD_PRESENCE)},
    [REQUEST_UNSUBSCRIBE] = {"unsubscribe", BIT(FIELD_CHANNEL), 0},
    [REQUEST_PUBLISH] = {"publish", BIT(FIELD_CHANNEL) | BIT(FIELD_DATA), 0},
    [REQUEST_PRESENCE] = {"presence", BIT(FIELD_CHANNEL), 0},
    [REQUEST_PING] = {"ping", 0, 0},
};

struct request_fields {
    struct json_value values[FIELDS]; /* of those in `present` */
    unsigned present, twice;
    struct json_value unknown; /* the name of the first unknown one; size 0: there is none */
};

__attribute__((format(printf, 3, 4))) static int request_refuse(struct request_error *error, const char *code,
                                                                const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error->code = code;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return -1;
}

enum { QUOTE_MAX = 48, QUOTE_SIZE = QUOTE_MAX + sizeof "...\"" };

/* Quotes a client's string for an error message, as it was written but shortened. */
static const char *request_quote(const struct json_value *string, char text[QUOTE_SIZE]) {
    size_t size = string->size;
    if (size > QUOTE_MAX)
        for (size = QUOTE_MAX; (string->bytes[size] & 0xC0) == 0x80;)
            size--; /* not within a character */
    snprintf(text, QUOTE_SIZE, "%.*s%s", (int)size, (const char *)string->bytes,
             size < string->size ? "...\"" : "");
    return text;
}

static unsigned request_field_named(const struct json_value *name) {
    unsigned field = 0;
    while (field < FIELDS && !json_text_is(name, request_field_names[field]))
        field++;
    return field;
}

static void request_collect(const struct json_value *object, struct request_fields *fields) {
    struct json_value name, value;
    for (size_t position = 0; json_member(object, &position, &name, &value);) {
        unsigned field = request_field_named(&name);
        if (field == FIELDS) {
            if (fields->unknown.size == 0)
                fields->unknown = name;
        } else if (fields->present & BIT(field)) {
            fields->twice |= BIT(field);
        } else {
            fields->present |= BIT(field);
            fields->values[field] = value;
        }
    }
}

static bool request_has(const struct request_fields *fields, enum request_field field) {
    return (fields->present & BIT(field)) != 0;
}

static const char *request_first_of(unsigned set) {
    return request_field_names[__builtin_ctz(set)];
}

static bool request_id_is_valid(const struct json_value *id) {
    if (id->type == JSON_STRING)
        return id->size - 2 <= REQUEST_ID_MAX; /* without its quotes */
    if (id->type != JSON_NUMBER || id->size > REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id->size; i++)
        if (id->bytes[i] != '-' && (id->bytes[i] < '0' || id->bytes[i] > '9'))
            return false; /* a fraction or an exponent */
    return true;
}

/* Reads the id and the channel, which errors also echo if they are valid. */
static void request_read_names(const struct request_fields *fields, struct request *request) {
    if (request_has(fields, FIELD_ID) && request_id_is_valid(&fields->values[FIELD_ID]))
        request->id = fields->values[FIELD_ID];
    if (request_has(fields, FIELD_CHANNEL) && fields->values[FIELD_CHANNEL].type == JSON_STRING) {
        long size = json_text(&fields->values[FIELD_CHANNEL], request->channel, sizeof request->channel);
        if (size < 0 || !channel_name_valid(request->channel, (size_t)size))
            request->channel[0] = '\0';
    }
}

static int request_read_type(const struct request_fields *fields, struct request *request,
                             struct request_error *error) {
    if (!request_has(fields, FIELD_TYPE))
        return request_refuse(error, "invalid_message", "\"type\" is missing");
    const struct json_value *type = &fields->values[FIELD_TYPE];
    if (type->type != JSON_STRING)
        return request_refuse(error, "invalid_message", "\"type\" must be a string");
    for (unsigned i = 0; i < REQUEST_TYPES; i++)
        if (json_text_is(type, request_types[i].name)) {
            request->type = (enum request_type)i;
            return 0;
        }
    char quoted[QUOTE_SIZE];
    return request_refuse(
        error, "unknown_type",
        "\"type\" must be \"subscribe\", \"unsubscribe\", \"publish\", \"presence\" or \"ping\", not %s",
        request_quote(type, quoted));
}

/* Checks that a request of this type has the fields that it must have, and no others. */
static int request_check_fields(const struct request_fields *fields, enum request_type type,
                                struct request_error *error) {
    unsigned allowed =
        BIT(FIELD_TYPE) | BIT(FIELD_ID) | request_types[type].required | request_types[type].optional;
    unsigned needless = fields->present & ~allowed, missing = request_types[type].required & ~fields->present;
    char quoted[QUOTE_SIZE];
    if (fields->unknown.size > 0)
        return request_refuse(error, "invalid_message", "%s is not a member of \"%s\"",
                              request_quote(&fields->unknown, quoted), request_types[type].name);
    if (needless)
        return request_refuse(error, "invalid_message", "\"%s\" is not a member of \"%s\"",
                              request_first_of(needless), request_types[type].name);
    if (missing)
        return request_refuse(error, "invalid_message", "\"%s\" is missing", request_first_of(missing));
    return 0;
}

static int request_check_names(const struct request_fields *fields, const struct request *request,
                               struct request_error *error) {
    if (request_has(fields, FIELD_ID) && request->id.size == 0)
        return request_refuse(error, "invalid_message",
                              "\"id\" must be an integer or a string, of %d bytes at most", REQUEST_ID_MAX);
    if (!request_has(fields, FIELD_CHANNEL) || request->channel[0] != '\0')
        return 0;
    if (fields->values[FIELD_CHANNEL].type != JSON_STRING)
        return request_refuse(error, "invalid_message", "\"channel\" must be a string");
    return request_refuse(error, "invalid_channel",
                          "the name of a channel has 1 to %d letters, digits and characters of _-.:@/+~",
                          CHANNEL_NAME_MAX);
}

static int request_read_since(const struct json_value *since, struct request *request,
                              struct request_error *error) {
    int64_t number = since->type == JSON_NUMBER ? json_whole(since) : -1;
    if (number < 0)
        return request_refuse(error, "invalid_message", "\"since\" must be a whole number from 0 to 2^53");
    request->recover = true;
    request->since = (uint64_t)number;
    return 0;
}

static int request_read_epoch(const struct json_value *epoch, struct request *request,
                              struct request_error *error) {
    if (epoch->type != JSON_STRING || json_text(epoch, request->epoch, sizeof request->epoch) < 1)
        return request_refuse(error, "invalid_message", "\"epoch\" must be a string of 1 to %d bytes",
                              REQUEST_EPOCH_MAX);
    if (!request->recover)
        return request_refuse(error, "invalid_message", "\"epoch\" says nothing without \"since\"");
    return 0;
}

static int request_read_last(const struct json_value *last, struct request *request, struct request_error *error) {
    int64_t number = last->type == JSON_NUMBER ? json_whole(last) : -1;
    if (number < 1 || number > REQUEST_LAST_MAX)
        return request_refuse(error, "invalid_message", "\"last\" must be a whole number from 1 to %d",
                              REQUEST_LAST_MAX);
    request->last = (uint32_t)number;
    return 0;
}

static int request_read_presence(const struct json_value *presence, struct request *request,
                                 struct request_error *error) {
    if (presence->type != JSON_TRUE && presence->type != JSON_FALSE)
        return request_refuse(error, "invalid_message", "\"presence\" must be true or false");
    request->presence = presence->type == JSON_TRUE;
    return 0;
}

static int request_read_values(const struct request_fields *fields, struct request *request,
                               struct request_error *error) {
    if (request_has(fields, FIELD_DATA))
        request->data = fields->values[FIELD_DATA];
    if (request_has(fields, FIELD_SINCE) && request_read_since(&fields->values[FIELD_SINCE], request, error) != 0)
        return -1;
    if (request_has(fields, FIELD_EPOCH) && request_read_epoch(&fields->values[FIELD_EPOCH], request, error) != 0)
        return -1;
    if (request_has(fields, FIELD_LAST) && request_read_last(&fields->values[FIELD_LAST], request, error) != 0)
        return -1;
    if (request_has(fields, FIELD_PRESENCE))
        return request_read_presence(&fields->values[FIELD_PRESENCE], request, error);
    return 0;
}

int request_parse(const void *text, size_t size, struct request *request, struct request_error *error) {
    request->id.size = request->data.size = 0;
    request->channel[0] = request->epoch[0] = '\0';
    request->recover = request->presence = false;
    request->last = 0;
    struct json_value object;
    struct json_error syntax;
    if (json_check(text, size, &object, &syntax) != 0)
        return request_refuse(error, "invalid_json", "byte %zu: %s", syntax.offset, syntax.what);
    if (object.type != JSON_OBJECT)
        return request_refuse(error, "invalid_message", "a request must be an object");
    struct request_fields fields;
    fields.present = fields.twice = 0;
    fields.unknown.size = 0;
    request_collect(&object, &fields);
    request_read_names(&fields, request);
    if (fields.twice)
        return request_refuse(error, "invalid_message", "\"%s\" is there twice", request_first_of(fields.twice));
    if (request_read_type(&fields, request, error) != 0 ||
        request_check_fields(&fields, request->type, error) != 0 ||
        request_check_names(&fields, request, error) != 0)
        return -1;
    return request_read_values(&fields, request, error);
}
