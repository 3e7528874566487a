/* exchange.c - see exchange.h: incoming messages. exchange_send.c handles outgoing ones.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/bench/load/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "commands/bench/load/exchange_private.h"
#include "ws/close_code.h"

/* --- Messages ---------------------------------------------------------------------------------------------- */

static void wrong(struct bench_group *group, const char *why) {
    group->result.wrong++;
    result_explain(&group->result, "a message came back wrong: %s", why);
}

static void count_received(struct bench_group *group, size_t size, uint64_t time) {
    uint64_t latency = group->now > time ? group->now - time : 0;
    group->second.counts.received++;
    group->second.counts.received_bytes += size;
    histogram_record(&group->second.latency, latency);
    if (time < group->measure_from)
        return;
    group->result.counts.received++;
    group->result.counts.received_bytes += size;
    histogram_record(&group->result.latency, latency);
}

static void check(struct bench_group *group, const struct identity *identity, const struct decoded *decoded) {
    const char *why = payload_check(group->payload, identity, decoded->data, decoded->size);
    if (decoded->opcode != group->payload->opcode)
        why = "text and binary are mixed up";
    if (why != NULL)
        wrong(group, why);
}

static void queue_next(struct bench_group *group, struct bench_client *client) {
    if (group->sending && !settings_open_loop(group->settings))
        exchange_queue(group, client, group->now);
}

/* Takes an echo, or another answer, to the oldest of the client's own messages that waits for one. If any answer
 * is allowed, a message that arrives before the first one is sent is a greeting, and does not count. */
static void take_answer(struct bench_group *group, struct bench_client *client, const struct decoded *decoded) {
    bool any = group->settings->expect == EXPECT_ANY;
    if (client->received == client->queued) {
        if (!any || client->queued > 0)
            wrong(group, "there is one more than was sent");
        return;
    }
    const struct identity identity = exchange_identity(group, client, client->received);
    if (!any)
        check(group, &identity, decoded);
    count_received(group, decoded->size, identity.time + group->began);
    client->received++;
    group->outstanding--;
    queue_next(group, client);
}

/* Counts a message for which nothing waited, so it has no latency. */
static void take_unasked(struct bench_group *group, const struct decoded *decoded) {
    group->second.counts.received++;
    group->second.counts.received_bytes += decoded->size;
    if (group->now < group->measure_from)
        return;
    group->result.counts.received++;
    group->result.counts.received_bytes += decoded->size;
}

/* Takes a broadcast message. It may come from any publisher of the room, but each publisher's messages in order.
 */
static void take_delivery(struct bench_group *group, struct bench_client *client, const struct decoded *decoded) {
    const struct settings *settings = group->settings;
    struct identity identity;
    if (!payload_identify(decoded->data, decoded->size, &identity) ||
        identity.sender >= settings_senders(settings)) {
        wrong(group, "no client sent it");
        return;
    }
    check(group, &identity, decoded);
    if (settings_room(settings, identity.sender) != settings_room(settings, client->id)) {
        group->result.unexpected++;
        result_explain(&group->result, "a message of room %u came to room %u",
                       settings_room(settings, identity.sender), settings_room(settings, client->id));
        return;
    }
    struct sequence *sequence = &client->heard[identity.sender / settings->rooms];
    enum sequence_result heard = sequence_hear(sequence, (uint32_t)identity.number);
    if (heard != SEQUENCE_NEW) {
        group->result.out_of_order++;
        result_explain(&group->result,
                       heard == SEQUENCE_LATE ? "a message was overtaken by a later one" : "a message came twice");
    }
    if (heard == SEQUENCE_AGAIN)
        return;
    group->delivered++;
    count_received(group, decoded->size, identity.time + group->began);
    if (identity.sender == client->id) {
        client->received++;
        queue_next(group, client);
    }
}

/* --- Events ------------------------------------------------------------------------------------------------ */

static void take_message(struct bench_group *group, struct bench_client *client, const struct decoded *decoded) {
    enum scenario scenario = group->settings->scenario;
    if (scenario == SCENARIO_BROADCAST)
        take_delivery(group, client, decoded);
    else if (group->settings->expect == EXPECT_NONE)
        take_unasked(group, decoded);
    else if (scenario == SCENARIO_ECHO || scenario == SCENARIO_RATE)
        take_answer(group, client, decoded);
}

static void explain_close(struct bench_group *group, const struct decoded *decoded) {
    if (decoded->close_code == CLOSE_NONE)
        client_error(&group->error, WEIR_CLIENT_NO_ERROR, "the server closed without a code");
    else
        client_error(&group->error, WEIR_CLIENT_NO_ERROR, "the server closed with %u%s%.*s", decoded->close_code,
                     decoded->size > 0 ? ": " : "", (int)decoded->size, (const char *)decoded->data);
}

static void explain_error(struct bench_group *group, const struct decoded *decoded) {
    enum weir_client_cause cause = decoded->close_code == CLOSE_TOO_BIG          ? WEIR_CLIENT_TOO_BIG
                                   : decoded->close_code == CLOSE_INTERNAL_ERROR ? WEIR_CLIENT_NO_MEMORY
                                                                                 : WEIR_CLIENT_PROTOCOL;
    client_error(&group->error, cause, "the server's frames: %s", (const char *)decoded->data);
}

/* Returns false if the connection is over. */
static bool take_event(struct bench_group *group, struct bench_client *client, const struct decoded *decoded) {
    switch (decoded->event) {
    case DECODER_MESSAGE:
        take_message(group, client, decoded);
        return true;
    case DECODER_PING:
        if (exchange_pong(client, decoded->data, decoded->size))
            return true;
        client_error(&group->error, WEIR_CLIENT_NO_MEMORY, "out of memory for a Pong");
        return false;
    case DECODER_CLOSE:
        explain_close(group, decoded);
        exchange_close(client, decoded->close_code);
        return false;
    case DECODER_ERROR:
        explain_error(group, decoded);
        exchange_close(client, decoded->close_code);
        return false;
    default:
        return true;
    }
}

bool exchange_take(struct bench_group *group, struct bench_client *client, uint8_t *bytes, size_t size) {
    struct decoded decoded;
    for (size_t used = 0; used < size;) {
        used += decoder_feed(&client->decoder, &group->limits, bytes + used, size - used, &decoded);
        if (decoded.event == DECODER_DEFLATED) {
            inflater_reset(group->inflater);
            decoder_inflate(&client->decoder, &group->limits, group->inflater, &decoded);
        }
        if (!take_event(group, client, &decoded))
            return false;
    }
    return true;
}
