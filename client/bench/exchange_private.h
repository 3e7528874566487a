/* exchange_private.h - what exchange.c and exchange_send.c have of each other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_EXCHANGE_PRIVATE_H
#define WEIR_BENCH_EXCHANGE_PRIVATE_H

#include "client/bench/exchange.h"

/* Of a client's message that is not back yet, or in a broadcast not sent yet. */
struct identity exchange_identity(const struct bench_group *group, const struct bench_client *client,
                                  uint64_t number);

/* Answers a Ping when the next flush comes; a later one takes an unsent one's place (RFC 6455, 5.5.3). False if
 * memory is out. */
bool exchange_pong(struct bench_client *client, const uint8_t *data, size_t size);

#endif
