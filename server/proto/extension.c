/* extension.c - reads Sec-WebSocket-Extensions (RFC 6455, 9.1) and answers an offer of permessage-deflate (RFC
 * 7692, 7.1). Pure functions, any thread. One pass over the text, no memory of its own; the whole text is read
 * before anything is answered, for a fault at its end is a fault too. It compresses nothing.
 *
 * Names are compared exactly: neither RFC calls them case-insensitive, as RFC 6455 does where it means that
 * (4.2.1), and node's ws and Python's websockets compare them so as well.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/proto/extension.h"

#include <stdio.h>
#include <string.h>

#define BLANKS       " \t" /* RFC 6455 allows them around every token and mark: the implied LWS of RFC 2616, 2.1 */
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define TOKEN        ALPHANUMERIC "!#$%&'*+-.^_`|~" /* RFC 7230, 3.2.6 */

enum {
    VALUE_SIZE = 4
}; /* the longest value that is right has two digits; a third character shows one that is not */

struct parameter {
    const char *name;
    size_t name_size;
    bool has_value;
    char value[VALUE_SIZE]; /* terminated, without quotes; a longer one is cut off */
};

/* One element of the list. */
struct offer {
    bool can_be_met; /* it is permessage-deflate, and so far every parameter is right */
    bool server_no_takeover, client_no_takeover;
    uint8_t server_bits, client_bits; /* 0: it has no such parameter */
};

/* --- Parameters ------------------------------------------------------------------------------------------- */

static bool equals(const char *text, size_t size, const char *expected) {
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

/* "8" to "15" as a number, without a leading zero (RFC 7692, 7.1.2); 0 for all else. */
static uint8_t window_bits(const char *value) {
    if ((value[0] == '8' || value[0] == '9') && value[1] == '\0')
        return (uint8_t)(value[0] - '0');
    if (value[0] == '1' && value[1] >= '0' && value[1] <= '5' && value[2] == '\0')
        return (uint8_t)(10 + value[1] - '0');
    return 0;
}

/* These return false if the parameter is repeated or its value is wrong. */

static bool set_flag(bool *flag, const struct parameter *parameter) {
    if (*flag || parameter->has_value)
        return false;
    *flag = true;
    return true;
}

static bool set_bits(uint8_t *bits, const struct parameter *parameter, uint8_t without_value) {
    uint8_t asked = parameter->has_value ? window_bits(parameter->value) : without_value;
    if (*bits != 0 || asked == 0)
        return false;
    *bits = asked;
    return true;
}

/* Without a value, client_max_window_bits only tells that we may name one (7.1.2.2): like 15. */
static bool set_parameter(struct offer *offer, const struct parameter *parameter) {
    const char *name = parameter->name;
    size_t size = parameter->name_size;
    if (equals(name, size, "server_no_context_takeover"))
        return set_flag(&offer->server_no_takeover, parameter);
    if (equals(name, size, "client_no_context_takeover"))
        return set_flag(&offer->client_no_takeover, parameter);
    if (equals(name, size, "server_max_window_bits"))
        return set_bits(&offer->server_bits, parameter, 0);
    if (equals(name, size, "client_max_window_bits"))
        return set_bits(&offer->client_bits, parameter, WINDOW_BITS_MAX);
    return false;
}

/* --- Grammar: these move *at behind what they have taken, and return false where it breaks the grammar ------ */

static void skip_blanks(const char **at) {
    *at += strspn(*at, BLANKS);
}

static bool take_token(const char **at, size_t *size) {
    *size = strspn(*at, TOKEN);
    *at += *size;
    return *size > 0;
}

static bool take_mark(const char **at, char mark) {
    skip_blanks(at);
    if (**at != mark)
        return false;
    (*at)++;
    skip_blanks(at);
    return true;
}

/* The characters of a token, any of them behind a backslash: a quoted value can be no more (RFC 6455, 9.1). */
static bool take_quoted(const char **at, char value[VALUE_SIZE]) {
    size_t size = 0;
    for ((*at)++; **at != '"'; (*at)++) {
        if (**at == '\\')
            (*at)++;
        if (**at == '\0' || strchr(TOKEN, **at) == NULL)
            return false;
        if (size < VALUE_SIZE - 1)
            value[size++] = **at;
    }
    value[size] = '\0';
    (*at)++;
    return size > 0;
}

static bool take_value(const char **at, char value[VALUE_SIZE]) {
    if (**at == '"')
        return take_quoted(at, value);
    const char *token = *at;
    size_t size;
    if (!take_token(at, &size))
        return false;
    if (size > VALUE_SIZE - 1)
        size = VALUE_SIZE - 1;
    memcpy(value, token, size);
    value[size] = '\0';
    return true;
}

static bool take_parameter(const char **at, struct parameter *parameter) {
    parameter->name = *at;
    if (!take_token(at, &parameter->name_size))
        return false;
    parameter->has_value = take_mark(at, '=');
    return !parameter->has_value || take_value(at, parameter->value);
}

/* Up to the comma behind it or the end of the text. */
static bool take_extension(const char **at, struct offer *offer) {
    const char *name = *at;
    size_t size;
    if (!take_token(at, &size))
        return false;
    *offer = (struct offer){.can_be_met = equals(name, size, "permessage-deflate")};
    while (take_mark(at, ';')) {
        struct parameter parameter;
        if (!take_parameter(at, &parameter))
            return false;
        if (offer->can_be_met)
            offer->can_be_met = set_parameter(offer, &parameter);
    }
    return **at == ',' || **at == '\0';
}

/* The first offer that can be met. RFC 7230, 7 has recipients put up with empty elements. */
static enum extension_result choose(const char *at, struct offer *chosen) {
    enum extension_result result = EXTENSION_NONE;
    for (;;) {
        at += strspn(at, BLANKS ",");
        if (*at == '\0')
            return result;
        struct offer offer;
        if (!take_extension(&at, &offer))
            return EXTENSION_MALFORMED;
        if (result == EXTENSION_NONE && offer.can_be_met) {
            *chosen = offer;
            result = EXTENSION_ACCEPTED;
        }
    }
}

/* --- Answer ----------------------------------------------------------------------------------------------- */

static uint8_t smaller(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

/* A client that did not send client_max_window_bits must not be told one (7.1.2.2); and where its window is not
 * kept from message to message, a smaller one would save nothing that lasts. */
static bool limits_client(const struct offer *offer, const struct deflate_params *params) {
    return offer->client_bits != 0 && params->client_takeover;
}

static struct deflate_params agree(const struct offer *offer, const struct deflate_policy *policy) {
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

static void answer(const struct offer *offer, const struct deflate_params *params,
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
    struct offer chosen = {0};
    enum extension_result result = choose(offered == NULL ? "" : offered, &chosen);
    if (result != EXTENSION_ACCEPTED)
        return result;
    if (!policy->enabled)
        return EXTENSION_NONE;
    *params = agree(&chosen, policy);
    answer(&chosen, params, response);
    return EXTENSION_ACCEPTED;
}
