/* handshake_answer.h - a request that is to become a connection, and the checks that it must pass, in order:
 * handshake, route, a place for its address, origin and subprotocol, a place among all connections, the handler's
 * consent, adoption.
 *
 * Runs on the HTTP threads, on many at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_HANDSHAKE_ANSWER_H
#define WEIR_HTTP_HANDSHAKE_ANSWER_H

#include "server/http/dispatch.h"

/* With status 101 the request has become a connection, and there is nothing to answer. Otherwise `response` is the
 * refusal. */
void handshake_answer(struct dispatch *dispatch, const struct route_entries *entries,
                      const struct http_request *request, struct http_response *response);

#endif
