/* candidate.h - a request that wants to become a connection, and what it has to pass: handshake, route, a place
 * among those of its address, origin and subprotocol, a place among all, the handler's word, adoption.
 *
 * On the HTTP threads, many at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_CANDIDATE_H
#define WEIR_HTTP_CANDIDATE_H

#include "server/http/service.h"

/* With status 101 it has become one, and there is nothing to answer; else `response` is the refusal. */
void candidate_answer(struct service *service, const struct entrances *entrances,
                      const struct http_request *request, struct http_response *response);

#endif
