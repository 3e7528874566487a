/* request.c - see request.h. The members are collected first, since "type", which says what the others mean, may
 * come last.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/channels/request.h"

#include <stdarg.h>
#include <stdio.h>

enum member {
    MEMBER_TYPE,
    MEMBER_ID,
    MEMBER_CHANNEL,
    MEMBER_DATA,
    MEMBER_SINCE,
    MEMBER_EPOCH,
    MEMBER_LAST,
    MEMBER_PRESENCE,
    MEMBERS
};

#define BIT(member) (1u << (member))

static const char *const member_names[MEMBERS] = {"type",  "id",    "channel", "data",
                                                  "since", "epoch", "last",    "presence"};

static const struct {
    const char *name;
    unsigned required, optional; /* in addition to type and id */
} types[REQUEST_TYPES] = {
    [REQUEST_SUBSCRIBE] = {"subscribe", BIT(MEMBER_CHANNEL),
                           BIT(MEMBER_SINCE) | BIT(MEMBER_EPOCH) | BIT(MEMBER_LAST) | BIT(MEMBER_PRESENCE)},
    [REQUEST_UNSUBSCRIBE] = {"unsubscribe", BIT(MEMBER_CHANNEL), 0},
    [REQUEST_PUBLISH] = {"publish", BIT(MEMBER_CHANNEL) | BIT(MEMBER_DATA), 0},
    [REQUEST_PRESENCE] = {"presence", BIT(MEMBER_CHANNEL), 0},
    [REQUEST_PING] = {"ping", 0, 0},
};

struct members {
    struct json_value values[MEMBERS]; /* of those in `present` */
    unsigned present, twice;
    struct json_value unknown; /* the name of the first unknown one; size 0: there is none */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct request_flaw *flaw, const char *code,
                                                        const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    flaw->code = code;
    vsnprintf(flaw->message, sizeof flaw->message, format, arguments);
    va_end(arguments);
    return -1;
}

enum { QUOTE_MAX = 48, QUOTE_SIZE = QUOTE_MAX + sizeof "...\"" };

/* Quotes a client's string for an error message, as it was written but shortened. */
static const char *quote(const struct json_value *string, char text[QUOTE_SIZE]) {
    size_t size = string->size;
    if (size > QUOTE_MAX)
        for (size = QUOTE_MAX; (string->bytes[size] & 0xC0) == 0x80;)
            size--; /* not within a character */
    snprintf(text, QUOTE_SIZE, "%.*s%s", (int)size, (const char *)string->bytes,
             size < string->size ? "...\"" : "");
    return text;
}

static unsigned member_named(const struct json_value *name) {
    unsigned member = 0;
    while (member < MEMBERS && !json_text_is(name, member_names[member]))
        member++;
    return member;
}

static void collect(const struct json_value *object, struct members *members) {
    struct json_value name, value;
    for (size_t position = 0; json_member(object, &position, &name, &value);) {
        unsigned member = member_named(&name);
        if (member == MEMBERS) {
            if (members->unknown.size == 0)
                members->unknown = name;
        } else if (members->present & BIT(member)) {
            members->twice |= BIT(member);
        } else {
            members->present |= BIT(member);
            members->values[member] = value;
        }
    }
}

static bool has(const struct members *members, enum member member) {
    return (members->present & BIT(member)) != 0;
}

static const char *first_of(unsigned set) {
    return member_names[__builtin_ctz(set)];
}

static bool id_is_valid(const struct json_value *id) {
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
static void read_names(const struct members *members, struct request *request) {
    if (has(members, MEMBER_ID) && id_is_valid(&members->values[MEMBER_ID]))
        request->id = members->values[MEMBER_ID];
    if (has(members, MEMBER_CHANNEL) && members->values[MEMBER_CHANNEL].type == JSON_STRING) {
        long size = json_text(&members->values[MEMBER_CHANNEL], request->channel, sizeof request->channel);
        if (size < 0 || !channel_name_valid(request->channel, (size_t)size))
            request->channel[0] = '\0';
    }
}

static int read_type(const struct members *members, struct request *request, struct request_flaw *flaw) {
    if (!has(members, MEMBER_TYPE))
        return refuse(flaw, "invalid_message", "\"type\" is missing");
    const struct json_value *type = &members->values[MEMBER_TYPE];
    if (type->type != JSON_STRING)
        return refuse(flaw, "invalid_message", "\"type\" must be a string");
    for (unsigned i = 0; i < REQUEST_TYPES; i++)
        if (json_text_is(type, types[i].name)) {
            request->type = (enum request_type)i;
            return 0;
        }
    char quoted[QUOTE_SIZE];
    return refuse(flaw, "unknown_type",
                  "\"type\" must be \"subscribe\", \"unsubscribe\", \"publish\", \"presence\" or \"ping\", not %s",
                  quote(type, quoted));
}

/* Checks that a request of this type has the members that it must have, and no others. */
static int check_members(const struct members *members, enum request_type type, struct request_flaw *flaw) {
    unsigned allowed = BIT(MEMBER_TYPE) | BIT(MEMBER_ID) | types[type].required | types[type].optional;
    unsigned needless = members->present & ~allowed, missing = types[type].required & ~members->present;
    char quoted[QUOTE_SIZE];
    if (members->unknown.size > 0)
        return refuse(flaw, "invalid_message", "%s is no member of \"%s\"", quote(&members->unknown, quoted),
                      types[type].name);
    if (needless)
        return refuse(flaw, "invalid_message", "\"%s\" is no member of \"%s\"", first_of(needless),
                      types[type].name);
    if (missing)
        return refuse(flaw, "invalid_message", "\"%s\" is missing", first_of(missing));
    return 0;
}

static int check_names(const struct members *members, const struct request *request, struct request_flaw *flaw) {
    if (has(members, MEMBER_ID) && request->id.size == 0)
        return refuse(flaw, "invalid_message", "\"id\" must be an integer or a string, of %d bytes at most",
                      REQUEST_ID_MAX);
    if (!has(members, MEMBER_CHANNEL) || request->channel[0] != '\0')
        return 0;
    if (members->values[MEMBER_CHANNEL].type != JSON_STRING)
        return refuse(flaw, "invalid_message", "\"channel\" must be a string");
    return refuse(flaw, "invalid_channel",
                  "the name of a channel has 1 to %d letters, digits and characters of _-.:@/+~", CHANNEL_NAME_MAX);
}

static int read_since(const struct json_value *since, struct request *request, struct request_flaw *flaw) {
    int64_t number = since->type == JSON_NUMBER ? json_whole(since) : -1;
    if (number < 0)
        return refuse(flaw, "invalid_message", "\"since\" must be a whole number from 0 to 2^53");
    request->recover = true;
    request->since = (uint64_t)number;
    return 0;
}

static int read_epoch(const struct json_value *epoch, struct request *request, struct request_flaw *flaw) {
    if (epoch->type != JSON_STRING || json_text(epoch, request->epoch, sizeof request->epoch) < 1)
        return refuse(flaw, "invalid_message", "\"epoch\" must be a string of 1 to %d bytes", REQUEST_EPOCH_MAX);
    if (!request->recover)
        return refuse(flaw, "invalid_message", "\"epoch\" says nothing without \"since\"");
    return 0;
}

static int read_last(const struct json_value *last, struct request *request, struct request_flaw *flaw) {
    int64_t number = last->type == JSON_NUMBER ? json_whole(last) : -1;
    if (number < 1 || number > REQUEST_LAST_MAX)
        return refuse(flaw, "invalid_message", "\"last\" must be a whole number from 1 to %d", REQUEST_LAST_MAX);
    request->last = (uint32_t)number;
    return 0;
}

static int read_presence(const struct json_value *presence, struct request *request, struct request_flaw *flaw) {
    if (presence->type != JSON_TRUE && presence->type != JSON_FALSE)
        return refuse(flaw, "invalid_message", "\"presence\" must be true or false");
    request->presence = presence->type == JSON_TRUE;
    return 0;
}

static int read_values(const struct members *members, struct request *request, struct request_flaw *flaw) {
    if (has(members, MEMBER_DATA))
        request->data = members->values[MEMBER_DATA];
    if (has(members, MEMBER_SINCE) && read_since(&members->values[MEMBER_SINCE], request, flaw) != 0)
        return -1;
    if (has(members, MEMBER_EPOCH) && read_epoch(&members->values[MEMBER_EPOCH], request, flaw) != 0)
        return -1;
    if (has(members, MEMBER_LAST) && read_last(&members->values[MEMBER_LAST], request, flaw) != 0)
        return -1;
    if (has(members, MEMBER_PRESENCE))
        return read_presence(&members->values[MEMBER_PRESENCE], request, flaw);
    return 0;
}

int request_parse(const void *text, size_t size, struct request *request, struct request_flaw *flaw) {
    request->id.size = request->data.size = 0;
    request->channel[0] = request->epoch[0] = '\0';
    request->recover = request->presence = false;
    request->last = 0;
    struct json_value object;
    struct json_error error;
    if (json_check(text, size, &object, &error) != 0)
        return refuse(flaw, "invalid_json", "byte %zu: %s", error.offset, error.what);
    if (object.type != JSON_OBJECT)
        return refuse(flaw, "invalid_message", "a request must be an object");
    struct members members;
    members.present = members.twice = 0;
    members.unknown.size = 0;
    collect(&object, &members);
    read_names(&members, request);
    if (members.twice)
        return refuse(flaw, "invalid_message", "\"%s\" is there twice", first_of(members.twice));
    if (read_type(&members, request, flaw) != 0 || check_members(&members, request->type, flaw) != 0 ||
        check_names(&members, request, flaw) != 0)
        return -1;
    return read_values(&members, request, flaw);
}
