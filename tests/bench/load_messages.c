/* load_messages.c - see load_messages.h.
 *
 * A message's number tells whose it is (upper half) and which (lower half). Frames to be sent are made from their
 * numbers in the thread's common batch, a frame sent in part once more for its rest: no client has a buffer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_messages.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { OPCODE_CLOSE = 0x8, OPCODE_PING = 0x9, OPCODE_PONG = 0xa };

/* --- Out -------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct client *client, uint64_t message) {
    return (uint64_t)client->id << 32 | (uint32_t)message;
}

void messages_queue(struct client_group *group, struct client *client) {
    client->queued_at[client->queued++ % group->options->window] = group->now;
    group->outstanding++;
    group->published++;
}

static bool send_pong(struct client *client) {
    ssize_t done = send(client->descriptor, client->pong + client->pong_sent, client->pong_size - client->pong_sent,
                        MSG_NOSIGNAL);
    if (done < 0)
        return false;
    client->pong_sent += (size_t)done;
    if (client->pong_sent == client->pong_size)
        client->pong_sent = client->pong_size = 0;
    return true;
}

static size_t number_batch(struct frames *frames, const struct client *client) {
    uint64_t waiting = client->queued - client->sent;
    size_t count = waiting < frames->count ? (size_t)waiting : frames->count;
    for (size_t i = 0; i < count; i++)
        frames_number(frames, i, number_of(client, client->sent + i));
    return count * frames->frame_size;
}

/* One send: a pong that is due if no frame is under way, else frames. False if the socket takes no more, or is
 * lost. */
static bool send_some(struct client_group *group, struct client *client) {
    struct frames *frames = &group->frames;
    if (client->pong_size > 0 && client->sent_bytes == 0)
        return send_pong(client);
    size_t size = number_batch(frames, client) - client->sent_bytes;
    ssize_t done = send(client->descriptor, frames->bytes + client->sent_bytes, size, MSG_NOSIGNAL);
    if (done < 0)
        return false;
    size_t sent = client->sent_bytes + (size_t)done;
    client->sent += sent / frames->frame_size;
    client->sent_bytes = sent % frames->frame_size;
    return true;
}

bool messages_flush(struct client_group *group, struct client *client) {
    while (client->sent < client->queued || client->pong_size > 0)
        if (!send_some(group, client))
            return errno == EAGAIN;
    return true;
}

/* --- Back ------------------------------------------------------------------------------------------------- */

static void wrong(struct client_group *group, const char *why) {
    group->tally.errors++;
    tally_explain(&group->tally, "a message came back wrong: %s", why);
}

static void own_message(struct client_group *group, struct client *client, uint64_t number) {
    if (client->received == client->queued) {
        wrong(group, "there is one more than was sent");
        return;
    }
    if (group->options->size >= NUMBER_SIZE && number != number_of(client, client->received))
        wrong(group, "it is not the next one");
    uint64_t queued_at = client->queued_at[client->received++ % group->options->window];
    group->outstanding--;
    if (group->measuring)
        histogram_record(&group->tally.latency, group->now - queued_at);
    if (group->sending)
        messages_queue(group, client);
}

static void message_end(struct client_group *group, struct client *client, uint64_t size) {
    uint64_t number = 0;
    if (group->options->size >= NUMBER_SIZE)
        memcpy(&number, client->number, NUMBER_SIZE);
    if (size != group->options->size)
        wrong(group, "its size differs");
    else if (client->damaged)
        wrong(group, "its contents differ");
    client->damaged = false;
    group->tally.messages += group->measuring;
    group->delivered++;
    if (group->options->scenario != SCENARIO_BROADCAST || number >> 32 == client->id)
        own_message(group, client, number);
    else if (number >> 32 >= group->options->publishers)
        wrong(group, "nobody sent it");
}

static void message_part(struct client_group *group, struct client *client, const struct frame_part *part) {
    const struct frames *frames = &group->frames;
    size_t at = (size_t)part->offset, numbered = 0;
    if (frames->payload_size >= NUMBER_SIZE && at < NUMBER_SIZE) {
        numbered = part->size < NUMBER_SIZE - at ? part->size : NUMBER_SIZE - at;
        memcpy(client->number + at, part->data, numbered);
    }
    if (part->offset + part->size > frames->payload_size ||
        memcmp(part->data + numbered, frames->pattern + at + numbered, part->size - numbered) != 0)
        client->damaged = true;
    if (part->last)
        message_end(group, client, part->offset + part->size);
}

static bool control_frame(struct client_group *group, struct client *client, const struct frame_part *part) {
    if (part->opcode == OPCODE_CLOSE) {
        unsigned code = part->size >= 2 ? (unsigned)part->data[0] << 8 | part->data[1] : 1005;
        tally_explain(&group->tally, "the server closed with code %u: %.*s", code,
                      part->size > 2 ? (int)part->size - 2 : 0, (const char *)part->data + 2);
        return false;
    }
    if (part->opcode == OPCODE_PING && client->pong_sent == 0) /* the latest is enough (RFC 6455, 5.5.3) */
        client->pong_size = frame_control(client->pong, OPCODE_PONG, part->data, part->size);
    return true;
}

bool messages_take(struct client_group *group, struct client *client, const uint8_t *bytes, size_t size) {
    struct frame_part part;
    for (size_t used = 0; used < size;) {
        used += frame_read(&client->reader, bytes + used, size - used, &part);
        if (part.kind == FRAME_PART)
            message_part(group, client, &part);
        else if (part.kind == FRAME_CONTROL && !control_frame(group, client, &part))
            return false;
        else if (part.kind == FRAME_BAD) {
            tally_explain(&group->tally, "the server sent a frame that is none");
            return false;
        }
    }
    return true;
}
