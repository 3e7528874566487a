/* api_channels.c - the API's channels: list, statistics, history, presence, and closing. api_publish.c publishes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/admin/api_channel.h"
#include "server/channels/channels.h"

enum {
    LISTED = 100,
    LISTED_MAX = 1000,
    SEARCHED_MAX = 10000, /* channels looked at for one answer, when few have the prefix */
    HISTORY_BYTES_MAX = 8 * 1024 * 1024
};

bool api_channel_is_named(struct api_call *call) {
    if (channel_name_valid(call->name, strlen(call->name)))
        return true;
    api_error(call->response, 400, "invalid_channel",
              "A channel's name has 1 to %d letters, digits and characters of _-.:@/+~ in it.", CHANNEL_NAME_MAX);
    return false;
}

static void respond_unknown(struct api_call *call) {
    api_error(call->response, 404, "unknown_channel", "There is no channel %s.", call->name);
}

/* --- Figures ------------------------------------------------------------------------------------------------ */

static void api_channels_write_statistics(struct json_writer *writer, const struct channel_statistics *statistics) {
    json_write_literal(writer, "{\"name\":");
    json_write_string(writer, statistics->name);
    json_write_literal(writer, ",\"epoch\":");
    json_write_string(writer, statistics->epoch);
    json_write_literal(writer, ",\"offset\":");
    json_write_number(writer, statistics->offset);
    json_write_literal(writer, ",\"subscribers\":");
    json_write_number(writer, statistics->subscribers);
    json_write_literal(writer, ",\"history\":");
    json_write_number(writer, statistics->history);
    json_write_literal(writer, ",\"rate\":");
    json_write_seconds(writer, statistics->rate); /* writes a number with thousandths */
    json_write_literal(writer, "}");
}

void api_channel_look(struct api_call *call) {
    struct channel_statistics statistics;
    struct json_writer writer = {0};
    if (!api_channel_is_named(call))
        return;
    if (channels_query(call->api->core->channels, call->name, &statistics) != 0) {
        respond_unknown(call);
        return;
    }
    api_channels_write_statistics(&writer, &statistics);
    api_respond(call->response, 200, &writer);
}

/* --- The list ----------------------------------------------------------------------------------------------- */

struct listing {
    struct json_writer writer;
    const char *prefix;
    uint32_t listed;
};

static void list_one(const struct channel_statistics *statistics, void *arg) {
    struct listing *listing = arg;
    if (strncmp(statistics->name, listing->prefix, strlen(listing->prefix)) != 0)
        return;
    json_write_literal(&listing->writer, listing->listed++ == 0 ? "" : ",");
    api_channels_write_statistics(&listing->writer, statistics);
}

/* Returns whether there may be more after the position. */
static bool list_some(struct channels *channels, struct listing *listing, uint32_t limit, uint32_t *position) {
    uint32_t searched = 0, met, wanted;
    do {
        wanted = limit - listing->listed;
        met = channels_each(channels, position, wanted, list_one, listing);
        searched += met;
    } while (met == wanted && listing->listed < limit && searched < SEARCHED_MAX);
    return met == wanted;
}

void api_channels_list(struct api_call *call) {
    struct channels *channels = call->api->core->channels;
    const char *prefix = api_query_text(&call->query, "prefix");
    struct listing listing = {.prefix = prefix == NULL ? "" : prefix};
    uint64_t limit, cursor, subscriptions;
    uint32_t count;
    if (!api_number_of(call, "limit", 1, LISTED_MAX, LISTED, &limit) ||
        !api_number_of(call, "cursor", 0, UINT32_MAX, 0, &cursor))
        return;
    uint32_t position = (uint32_t)cursor;
    json_write_literal(&listing.writer, "{\"channels\":[");
    bool more = list_some(channels, &listing, (uint32_t)limit, &position);
    channels_count(channels, &count, &subscriptions);
    json_write_literal(&listing.writer, "],\"count\":");
    json_write_number(&listing.writer, count);
    if (more) {
        json_write_literal(&listing.writer, ",\"next\":\"");
        json_write_number(&listing.writer, position);
        json_write_literal(&listing.writer, "\"");
    }
    json_write_literal(&listing.writer, "}");
    api_respond(call->response, 200, &listing.writer);
}

/* --- History and presence ------------------------------------------------------------------------------------- */

static void api_channels_write_page(struct json_writer *writer, const char *name, const struct history_page *page) {
    json_write_literal(writer, "{\"channel\":");
    json_write_string(writer, name);
    json_write_literal(writer, ",\"epoch\":");
    json_write_string(writer, page->epoch);
    json_write_literal(writer, ",\"offset\":");
    json_write_number(writer, page->offset);
    json_write_literal(writer, page->complete ? ",\"complete\":true" : ",\"complete\":false");
    json_write_literal(writer, page->more ? ",\"more\":true" : ",\"more\":false");
    json_write_literal(writer, ",\"messages\":[");
    for (uint32_t i = 0; i < page->count; i++) {
        const struct message *message = page->messages[i];
        json_write_literal(writer, i == 0 ? "" : ",");
        json_write(writer, message_payload(message), message_payload_size(message));
    }
    json_write_literal(writer, "]}");
}

void api_channel_history(struct api_call *call) {
    uint64_t since, limit;
    struct history_page page;
    struct json_writer writer = {0};
    if (!api_channel_is_named(call) || !api_number_of(call, "since", 0, (uint64_t)1 << 53, 0, &since) ||
        !api_number_of(call, "limit", 1, LISTED_MAX, LISTED, &limit))
        return;
    errno = 0;
    if (channels_read_history(call->api->core->channels, call->name, since, (uint32_t)limit, HISTORY_BYTES_MAX,
                              &page) == 0) {
        api_channels_write_page(&writer, call->name, &page);
        history_page_release(&page);
        api_respond(call->response, 200, &writer);
    } else if (errno == ENOMEM) {
        writer.failed = true;
        api_respond(call->response, 200, &writer);
    } else {
        respond_unknown(call);
    }
}

void api_channel_presence(struct api_call *call) {
    uint64_t limit;
    struct json_writer writer = {0};
    if (!api_channel_is_named(call) || !api_number_of(call, "limit", 1, LISTED_MAX, LISTED, &limit))
        return;
    json_write_literal(&writer, "{\"channel\":");
    json_write_string(&writer, call->name);
    json_write_literal(&writer, ",");
    if (channels_write_presence(call->api->core->channels, call->name, (uint32_t)limit, &writer) != 0) {
        json_writer_release(&writer);
        respond_unknown(call);
        return;
    }
    json_write_literal(&writer, "}");
    api_respond(call->response, 200, &writer);
}

/* --- The end ------------------------------------------------------------------------------------------------ */

void api_channel_close(struct api_call *call) {
    struct json_writer writer = {0};
    if (!api_channel_is_named(call))
        return;
    long closed = channels_close(call->api->core->channels, call->name);
    if (closed < 0) {
        respond_unknown(call);
        return;
    }
    json_write_literal(&writer, "{\"closed\":");
    json_write_number(&writer, (uint64_t)closed);
    json_write_literal(&writer, "}");
    api_respond(call->response, 200, &writer);
}
