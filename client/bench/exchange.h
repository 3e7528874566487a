/* exchange.h - what goes over an open connection of the load tester: messages out and back, Pings, the Close. Each
 * function is for the thread that has the group.
 *
 * A frame is made from its message's number in the group's buffer when it is sent, and made again if it was sent in
 * part: no client has a buffer, save for what is left of a compressed frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_EXCHANGE_H
#define WEIR_BENCH_EXCHANGE_H

#include "client/bench/bench_client.h"

/* Adds a message that is to be sent at `time` to those of an open client. False if it has too many under way. */
bool exchange_queue(struct bench_group *group, struct bench_client *client, uint64_t time);

/* Sends what the socket takes. False if the connection is lost, with errno. */
bool exchange_flush(struct bench_group *group, struct bench_client *client);

/* Takes what has arrived, which is overwritten, and queues a message for each that is back while the group is
 * sending. False if the connection is over; group->error then says why. */
bool exchange_take(struct bench_group *group, struct bench_client *client, uint8_t *bytes, size_t size);

/* Sends a Close at once; false if that is not possible now. */
bool exchange_close(struct bench_client *client, unsigned code);

/* Frees what the client holds of messages. */
void exchange_release(struct bench_client *client);

#endif
