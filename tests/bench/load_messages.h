/* load_messages.h - what an open client sends and how it checks what comes back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_MESSAGES_H
#define WEIR_BENCH_LOAD_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/load_client.h"

/* Adds one message to those to be sent. */
void messages_queue(struct client_group *group, struct client *client);

/* Sends what the socket takes. False if the connection is lost. */
bool messages_flush(struct client_group *group, struct client *client);

/* Takes what has arrived, and queues a message for each that is back. False if the connection is over; the tally
 * then has the reason. */
bool messages_take(struct client_group *group, struct client *client, const uint8_t *bytes, size_t size);

#endif
