/* exchange.h - the traffic on an open connection of the load tester: messages in both directions, Pings, the
 * Close. Only the thread that owns the group may call these functions.
 *
 * A frame is made from its message's number in the group's buffer when it is sent, and made again if only part of
 * it was sent. So clients have no buffers, except for the rest of a compressed frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_EXCHANGE_H
#define WEIR_BENCH_LOAD_EXCHANGE_H

#include "commands/bench/load/bench_client.h"

/* Queues a message for an open client, due at `time`. False if too many are in flight. */
bool exchange_queue(struct bench_group *group, struct bench_client *client, uint64_t time);

/* Sends as much as the socket takes. False with errno set if the connection is lost. */
bool exchange_flush(struct bench_group *group, struct bench_client *client);

/* Takes bytes that have arrived, and overwrites them. While the group is sending, queues a message for each that
 * has come back. False if the connection is over; group->error then says why. */
bool exchange_take(struct bench_group *group, struct bench_client *client, uint8_t *bytes, size_t size);

/* Sends a Close at once. False if that is not possible now. */
bool exchange_close(struct bench_client *client, unsigned code);

/* Frees the client's message data. */
void exchange_release(struct bench_client *client);

#endif
