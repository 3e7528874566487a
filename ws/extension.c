/* extension.c - chooses among what a client offers in Sec-WebSocket-Extensions (RFC 6455, 9.1) and answers an
 * offer of permessage-deflate (RFC 7692, 7.1). Pure functions, any thread. The whole text is read before anything
 * is answered, because an error at its end counts too. It compresses nothing; the grammar is in
 * extension_element.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ws/extension.h"

#include <stdio.h>
#include <string.h>

#include "ws/extension_element.h"

/* Takes the first offer that can be met. RFC 7230, 7 requires recipients to accept empty elements. */
static enum extension_result choose(const char *at, struct extension_element *chosen) {
    enum extension_result result = EXTENSION_NONE;
    for (;;) {
        at += strspn(at, EXTENSION_BLANKS ",");
        if (*at == '\0')
            return result;
        struct extension_element offer;
        if (!extension_take(&at, &offer))
            return EXTENSION_MALFORMED;
        if (result == EXTENSION_NONE && offer.is_deflate) {
            *chosen = offer;
            result = EXTENSION_ACCEPTED;
        }
    }
}

/* --- Answer ----------------------------------------------------------------------------------------------- */

static uint8_t smaller(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

/* A client that did not send client_max_window_bits must not be told a limit (7.1.2.2). Where its window is not
 * kept from message to message, a smaller one would save nothing lasting. */
static bool limits_client(const struct extension_element *offer, const struct deflate_params *params) {
    return offer->client_bits != 0 && params->client_takeover;
}

static struct deflate_params agree(const struct extension_element *offer, const struct deflate_policy *policy) {
    struct deflate_params params = {
        .enabled = true,
        .server_takeover = policy->takeover && !offer->server_no_takeover,
        .client_takeover = policy->takeover && !offer->client_no_takeover,
        .server_bits = policy->window_bits,
        .client_bits = WINDOW_BITS_MAX,
    };
    if (offer->server_bits != 0)
        params.server_bits = smaller(offer->server_bits, policy->window_bits);
    if (offer->client_bits != 0)
        params.client_bits = offer->client_bits;
    if (limits_client(offer, &params))
        params.client_bits = smaller(params.client_bits, policy->window_bits);
    return params;
}

static void answer(const struct extension_element *offer, const struct deflate_params *params,
                   char response[EXTENSION_RESPONSE_SIZE]) {
    char server_bits[sizeof "; server_max_window_bits=255"] = "";
    char client_bits[sizeof "; client_max_window_bits=255"] = "";
    if (offer->server_bits != 0)
        snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%u", params->server_bits);
    if (limits_client(offer, params))
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%u", params->client_bits);
    snprintf(response, EXTENSION_RESPONSE_SIZE, "permessage-deflate%s%s%s%s",
             params->server_takeover ? "" : "; server_no_context_takeover",
             params->client_takeover ? "" : "; client_no_context_takeover", server_bits, client_bits);
}

enum extension_result extension_negotiate(const char *offered, const struct deflate_policy *policy,
                                          struct deflate_params *params, char response[EXTENSION_RESPONSE_SIZE]) {
    *params = (struct deflate_params){0};
    response[0] = '\0';
    struct extension_element chosen = {0};
    enum extension_result result = choose(offered == NULL ? "" : offered, &chosen);
    if (result != EXTENSION_ACCEPTED)
        return result;
    if (!policy->enabled)
        return EXTENSION_NONE;
    *params = agree(&chosen, policy);
    answer(&chosen, params, response);
    return EXTENSION_ACCEPTED;
}
