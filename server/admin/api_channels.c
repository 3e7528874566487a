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

static void api_channels_respond_unknown(struct api_call *call) {
    api_error(call->response, 404, "unknown_channel", "There is no channel %s.", call->name);
}

/* --- Statistics --------------------------------------------------------------------------------------------- */

static void api_channels_write_statistics(struct json_writer *writer, const struct channel_statistics *statistics) {
    json_begin_object(writer);
    json_key(writer, "name");
    json_write_string(writer, statistics->name);
    json_key(writer, "epoch");
    json_write_string(writer, statistics->epoch);
    json_key(writer, "offset");
    json_write_number(writer, statistics->offset);
    json_key(writer, "subscribers");
    json_write_number(writer, statistics->subscribers);
    json_key(writer, "history");
    json_write_number(writer, statistics->history);
    json_key(writer, "rate");
    json_write_seconds(writer, statistics->rate); /* writes a number with thousandths */
    json_end_object(writer);
}

void api_channel_look(struct api_call *call) {
    struct channel_statistics statistics;
    struct json_writer writer = {0};
    if (!api_channel_is_named(call))
        return;
    if (channels_query(call->api->core->channels, call->name, &statistics) != 0) {
        api_channels_respond_unknown(call);
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

static void api_channels_list_one(const struct channel_statistics *statistics, void *arg) {
    struct listing *listing = arg;
    if (strncmp(statistics->name, listing->prefix, strlen(listing->prefix)) != 0)
        return;
    listing->listed++;
    api_channels_write_statistics(&listing->writer, statistics);
}

/* Returns whether there may be more after the position. */
static bool api_channels_list_some(struct channels *channels, struct listing *listing, uint32_t limit,
                                   uint32_t *position) {
    uint32_t searched = 0, met, wanted;
    do {
        wanted = limit - listing->listed;
        met = channels_each(channels, position, wanted, api_channels_list_one, listing);
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
    json_begin_object(&listing.writer);
    json_key(&listing.writer, "channels");
    json_begin_array(&listing.writer);
    bool more = api_channels_list_some(channels, &listing, (uint32_t)limit, &position);
    channels_count(channels, &count, &subscriptions);
    json_end_array(&listing.writer);
    json_key(&listing.writer, "count");
    json_write_number(&listing.writer, count);
    if (more) {
        json_key(&listing.writer, "next");
        json_write_quoted_number(&listing.writer, position);
    }
    json_end_object(&listing.writer);
    api_respond(call->response, 200, &listing.writer);
}

/* --- History and presence ------------------------------------------------------------------------------------- */

static void api_channels_write_page(struct json_writer *writer, const char *name, const struct history_page *page) {
    json_begin_object(writer);
    json_key(writer, "channel");
    json_write_string(writer, name);
    json_key(writer, "epoch");
    json_write_string(writer, page->epoch);
    json_key(writer, "offset");
    json_write_number(writer, page->offset);
    json_key(writer, "complete");
    json_write_bool(writer, page->complete);
    json_key(writer, "more");
    json_write_bool(writer, page->more);
    json_key(writer, "messages");
    json_begin_array(writer);
    for (uint32_t i = 0; i < page->count; i++) {
        const struct message *message = page->messages[i];
        json_separate(writer);
        json_write(writer, message_payload(message), message_payload_size(message));
    }
    json_end_array(writer);
    json_end_object(writer);
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
        api_channels_respond_unknown(call);
    }
}

void api_channel_presence(struct api_call *call) {
    uint64_t limit;
    struct json_writer writer = {0};
    if (!api_channel_is_named(call) || !api_number_of(call, "limit", 1, LISTED_MAX, LISTED, &limit))
        return;
    json_begin_object(&writer);
    json_key(&writer, "channel");
    json_write_string(&writer, call->name);
    if (channels_write_presence(call->api->core->channels, call->name, (uint32_t)limit, &writer) != 0) {
        json_writer_release(&writer);
        api_channels_respond_unknown(call);
        return;
    }
    json_end_object(&writer);
    api_respond(call->response, 200, &writer);
}

/* --- The end ------------------------------------------------------------------------------------------------ */

void api_channel_close(struct api_call *call) {
    struct json_writer writer = {0};
    if (!api_channel_is_named(call))
        return;
    long closed = channels_close(call->api->core->channels, call->name);
    if (closed < 0) {
        api_channels_respond_unknown(call);
        return;
    }
    json_begin_object(&writer);
    json_key(&writer, "closed");
    json_write_number(&writer, (uint64_t)closed);
    json_end_object(&writer);
    api_respond(call->response, 200, &writer);
}
