/* exchange_send.c - see exchange.h: outgoing messages.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "commands/bench/load/exchange_private.h"
#include "ws/close_code.h"
#include "ws/frame.h"

enum {
    TIMES_MAX = 1 << 20, /* messages in flight per client */
    TIMES_MIN = 8,
    CONTROL_FRAME_MAX = FRAME_HEADER_MAX + CONTROL_PAYLOAD_MAX
};

/* --- When messages were due --------------------------------------------------------------------------------- */

static uint64_t *time_at(const struct bench_client *client, uint64_t number) {
    uint64_t *times = client->times != NULL ? client->times : (uint64_t *)&client->one_time;
    return &times[number & client->times_mask];
}

/* Doubles the ring, which holds the messages from `oldest` on. */
static bool grow(struct bench_client *client, uint64_t oldest) {
    size_t capacity = client->times == NULL ? TIMES_MIN : 2 * ((size_t)client->times_mask + 1);
    uint64_t *times = capacity <= TIMES_MAX ? malloc(capacity * sizeof *times) : NULL;
    if (times == NULL)
        return false;
    for (uint64_t number = oldest; number < client->queued; number++)
        times[number & (capacity - 1)] = *time_at(client, number);
    free(client->times);
    client->times = times;
    client->times_mask = (uint32_t)(capacity - 1);
    return true;
}

struct identity exchange_identity(const struct bench_group *group, const struct bench_client *client,
                                  uint64_t number) {
    return (struct identity){client->id, number, *time_at(client, number) - group->began};
}

static void count_sent(struct bench_group *group, size_t size, uint64_t time) {
    group->second.counts.sent++;
    group->second.counts.sent_bytes += size;
    if (time < group->measure_from)
        return;
    group->result.counts.sent++;
    group->result.counts.sent_bytes += size;
}

bool exchange_queue(struct bench_group *group, struct bench_client *client, uint64_t time) {
    bool broadcast = group->settings->scenario == SCENARIO_BROADCAST;
    uint64_t oldest = broadcast ? client->sent : client->received;
    if (client->queued - oldest > client->times_mask && !grow(client, oldest))
        return false;
    *time_at(client, client->queued) = time;
    const struct identity identity = exchange_identity(group, client, client->queued);
    client->queued++;
    if (group->settings->expect != EXPECT_NONE)
        count_sent(group, payload_size(group->payload, &identity), time);
    if (!broadcast)
        group->outstanding++;
    return true;
}

/* --- Bytes that are sent unchanged -------------------------------------------------------------------------- */

static bool keep(struct leftover *leftover, const uint8_t *bytes, size_t size) {
    uint8_t *kept = malloc(size);
    if (kept == NULL)
        return false;
    memcpy(kept, bytes, size);
    free(leftover->bytes);
    *leftover = (struct leftover){.bytes = kept, .size = (uint32_t)size};
    return true;
}

/* Sends bytes of client->leftover in one system call. False if it failed, with errno set. */
static bool send_leftover(struct bench_client *client) {
    struct leftover *leftover = &client->leftover;
    ssize_t done =
        send(client->descriptor, leftover->bytes + leftover->sent, leftover->size - leftover->sent, MSG_NOSIGNAL);
    if (done < 0)
        return false;
    leftover->sent += (uint32_t)done;
    if (leftover->sent == leftover->size) {
        free(leftover->bytes);
        *leftover = (struct leftover){0};
    }
    return true;
}

static size_t write_control(uint8_t *frame, uint8_t opcode, const uint8_t *payload, size_t size) {
    size_t header = frame_header_masked(frame, opcode, size, payload_mask);
    if (size > 0)
        memcpy(frame + header, payload, size);
    frame_mask(frame + header, size, payload_mask);
    return header + size;
}

bool exchange_pong(struct bench_client *client, const uint8_t *data, size_t size) {
    uint8_t frame[CONTROL_FRAME_MAX];
    size_t frame_size = write_control(frame, OPCODE_PONG, data, size);
    return keep(&client->pong, frame, frame_size);
}

bool exchange_close(struct bench_client *client, unsigned code) {
    uint8_t payload[CONTROL_PAYLOAD_MAX], frame[CONTROL_FRAME_MAX];
    if (client->sent_bytes > 0 || client->leftover.size > 0)
        return false;
    size_t size = write_control(frame, OPCODE_CLOSE, payload, close_payload(payload, code, NULL, 0));
    return send(client->descriptor, frame, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* --- Messages ---------------------------------------------------------------------------------------------- */

/* Fills group->output with frames from message `sent` on, as many as are queued and fit; only one if a Pong waits
 * for its end. Returns their size; 0 if the first one is too large for the buffer. */
static size_t fill_output(struct bench_group *group, const struct bench_client *client) {
    size_t used = 0;
    uint64_t end = client->pong.size > 0 ? client->sent + 1 : client->queued;
    for (uint64_t number = client->sent; number < end; number++) {
        const struct identity identity = exchange_identity(group, client, number);
        if (payload_frame_size(group->payload, &identity) > BENCH_OUTPUT_SIZE - used)
            break;
        struct payload_tail tail;
        used += payload_frame_head(group->payload, &identity, group->output + used, &tail);
        memcpy(group->output + used, tail.bytes, tail.size);
        used += tail.size;
    }
    return used;
}

/* Sends a frame that is too large to be copied. */
static ssize_t send_large(struct bench_group *group, const struct bench_client *client) {
    const struct identity identity = exchange_identity(group, client, client->sent);
    uint8_t head[PAYLOAD_HEAD_MAX];
    struct payload_tail tail;
    size_t head_size = payload_frame_head(group->payload, &identity, head, &tail);
    size_t skip = client->sent_bytes < head_size ? client->sent_bytes : head_size;
    size_t skip_tail = client->sent_bytes - skip;
    struct iovec parts[] = {{head + skip, head_size - skip},
                            {(uint8_t *)(uintptr_t)tail.bytes + skip_tail, tail.size - skip_tail}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(client->descriptor, &message, MSG_NOSIGNAL);
}

/* Counts message `sent` as sent. If no answer is expected, it counts as received too. */
static void leave(struct bench_group *group, struct bench_client *client, size_t size) {
    client->sent++;
    if (group->settings->expect != EXPECT_NONE)
        return;
    client->received++;
    group->outstanding--;
    count_sent(group, size, group->now);
}

/* Accounts for `size` bytes sent, from the current position in message `sent` on. */
static void advance(struct bench_group *group, struct bench_client *client, size_t size) {
    size += client->sent_bytes;
    while (client->sent < client->queued) {
        const struct identity identity = exchange_identity(group, client, client->sent);
        size_t frame_size = payload_frame_size(group->payload, &identity);
        if (size < frame_size)
            break;
        size -= frame_size;
        leave(group, client, payload_size(group->payload, &identity));
    }
    client->sent_bytes = size;
}

static bool send_frames(struct bench_group *group, struct bench_client *client) {
    size_t size = fill_output(group, client);
    ssize_t done = size > 0 ? send(client->descriptor, group->output + client->sent_bytes,
                                   size - client->sent_bytes, MSG_NOSIGNAL)
                            : send_large(group, client);
    if (done < 0)
        return false;
    advance(group, client, (size_t)done);
    return true;
}

/* Makes the compressed frame of a message in group->packed; an empty message is not compressed. Returns where the
 * frame begins. */
static uint8_t *pack(struct bench_group *group, const struct identity *identity, size_t *frame_size) {
    size_t size = payload_size(group->payload, identity), packed_size = 0;
    uint8_t *packed = group->packed + FRAME_HEADER_MAX, opcode = group->payload->opcode;
    payload_write(group->payload, identity, group->plain);
    if (size > 0) {
        packed_size =
            deflater_run(group->deflater, group->plain, size, packed, group->packed_size - FRAME_HEADER_MAX);
        deflater_reset(group->deflater);
        opcode |= FRAME_RSV1;
    }
    size_t header = frame_header_size(packed_size) + sizeof payload_mask;
    frame_header_masked(packed - header, opcode, packed_size, payload_mask);
    frame_mask(packed, packed_size, payload_mask);
    *frame_size = header + packed_size;
    return packed - header;
}

static bool send_packed(struct bench_group *group, struct bench_client *client) {
    size_t size;
    const struct identity identity = exchange_identity(group, client, client->sent);
    const uint8_t *frame = pack(group, &identity, &size);
    ssize_t done = send(client->descriptor, frame, size, MSG_NOSIGNAL);
    if (done < 0)
        return false;
    if ((size_t)done < size && !keep(&client->leftover, frame + done, size - (size_t)done)) {
        errno = ENOMEM;
        return false;
    }
    leave(group, client, payload_size(group->payload, &identity));
    return true;
}

/* Sends with one system call. False if it failed, with errno set. */
static bool send_some(struct bench_group *group, struct bench_client *client) {
    if (client->leftover.size > 0)
        return send_leftover(client);
    if (client->pong.size > 0 && client->sent_bytes == 0) {
        client->leftover = client->pong;
        client->pong = (struct leftover){0};
        return send_leftover(client);
    }
    return client->compressing ? send_packed(group, client) : send_frames(group, client);
}

bool exchange_flush(struct bench_group *group, struct bench_client *client) {
    if (group->settings->expect == EXPECT_NONE)
        group->now = bench_clock();
    while (client->sent < client->queued || client->leftover.size > 0 || client->pong.size > 0)
        if (!send_some(group, client))
            return errno == EAGAIN;
    return true;
}

void exchange_release(struct bench_client *client) {
    free(client->times);
    client->times = NULL;
    client->times_mask = 0;
    free(client->leftover.bytes);
    free(client->pong.bytes);
    client->leftover = client->pong = (struct leftover){0};
    decoder_release(&client->decoder);
}
