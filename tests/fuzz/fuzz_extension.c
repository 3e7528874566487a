/* fuzz_extension.c - permessage-deflate: what is offered, under a policy, against what is answered.
 *
 * The input: a byte of policy, then the header's text. Of the byte, bit 0 is compression off and bit 1 takeover
 * off; the rest modulo 7 is the window, from 9 bits: '4' is all that there is, 'F' no takeover and 12 bits. No
 * input is no header.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>

#include "tests/fuzz/fuzz.h"
#include "ws/extension.h"

enum { FLAG_OFF = 1, FLAG_FRESH = 2, FLAG_BITS = 2, POLICY_BITS_MIN = 9 };

struct outcome {
    enum extension_result result;
    struct deflate_params params;
    char *response;
};

static struct deflate_policy read_policy(uint8_t byte) {
    return (struct deflate_policy){
        .enabled = (byte & FLAG_OFF) == 0,
        .takeover = (byte & FLAG_FRESH) == 0,
        .window_bits = (uint8_t)(POLICY_BITS_MIN + (byte >> FLAG_BITS) % (WINDOW_BITS_MAX - POLICY_BITS_MIN + 1)),
    };
}

/* --- One negotiation -------------------------------------------------------------------------------------- */

static void check_nothing(const struct outcome *outcome) {
    static const struct deflate_params none;
    FUZZ_REQUIRE(outcome->response[0] == '\0');
    FUZZ_REQUIRE(memcmp(&outcome->params, &none, sizeof none) == 0);
}

/* The number behind "; name=", 0 if the response has no such parameter. */
static unsigned answered_bits(const char *response, const char *name) {
    const char *found = strstr(response, name);
    return found == NULL ? 0 : (unsigned)atoi(found + strlen(name));
}

/* The response tells the client what the parameters tell the server. */
static void check_accepted(const struct outcome *outcome, const struct deflate_policy *policy) {
    const struct deflate_params *params = &outcome->params;
    FUZZ_REQUIRE(policy->enabled && params->enabled);
    FUZZ_REQUIRE(policy->takeover || (!params->server_takeover && !params->client_takeover));
    FUZZ_REQUIRE(params->server_bits >= WINDOW_BITS_MIN && params->server_bits <= policy->window_bits);
    FUZZ_REQUIRE(params->client_bits >= WINDOW_BITS_MIN && params->client_bits <= WINDOW_BITS_MAX);

    const char *response = outcome->response;
    FUZZ_REQUIRE(strncmp(response, "permessage-deflate", strlen("permessage-deflate")) == 0);
    FUZZ_REQUIRE((strstr(response, "; server_no_context_takeover") == NULL) == params->server_takeover);
    FUZZ_REQUIRE((strstr(response, "; client_no_context_takeover") == NULL) == params->client_takeover);
    unsigned server_bits = answered_bits(response, "; server_max_window_bits=");
    unsigned client_bits = answered_bits(response, "; client_max_window_bits=");
    FUZZ_REQUIRE(server_bits == params->server_bits ||
                 (server_bits == 0 && params->server_bits == policy->window_bits));
    FUZZ_REQUIRE(client_bits == 0 || (client_bits == params->client_bits && client_bits <= policy->window_bits));
    FUZZ_REQUIRE(client_bits == 0 || params->client_takeover);
}

static struct outcome negotiate(const char *offered, const struct deflate_policy *policy) {
    struct outcome outcome = {.response = fuzz_allocate(EXTENSION_RESPONSE_SIZE)};
    memset(&outcome.params, 0x55, sizeof outcome.params);
    memset(outcome.response, 'x', EXTENSION_RESPONSE_SIZE);
    outcome.result = extension_negotiate(offered, policy, &outcome.params, outcome.response);
    FUZZ_REQUIRE(memchr(outcome.response, '\0', EXTENSION_RESPONSE_SIZE) != NULL);
    if (outcome.result == EXTENSION_ACCEPTED)
        check_accepted(&outcome, policy);
    else
        check_nothing(&outcome);
    return outcome;
}

/* --- Several that belong together ------------------------------------------------------------------------- */

static void require_same(const struct outcome *outcome, const char *offered, const struct deflate_policy *policy) {
    struct outcome other = negotiate(offered, policy);
    FUZZ_REQUIRE(other.result == outcome->result);
    FUZZ_REQUIRE(memcmp(&other.params, &outcome->params, sizeof other.params) == 0);
    FUZZ_REQUIRE(strcmp(other.response, outcome->response) == 0);
    free(other.response);
}

static char *join(const char *before, const char *text, const char *after) {
    size_t size = strlen(before) + strlen(text) + strlen(after) + 1;
    char *joined = fuzz_allocate(size);
    snprintf(joined, size, "%s%s%s", before, text, after);
    return joined;
}

/* What stands around the offers changes nothing; what breaks the grammar changes all. */
static void check_neighbours(const struct outcome *outcome, const char *offered,
                             const struct deflate_policy *policy) {
    static const struct {
        const char *before, *after;
    } harmless[] = {
        {"x-unknown, ", ""},
        {"x-unknown; a; b=c; b=\"d\\e\" ,", ""},
        {"permessage-deflate; x-unknown, ", ""},
        {"permessage-deflate; server_max_window_bits,", ""},
        {"", ", permessage-deflate; server_max_window_bits=16"},
        {"", " ,\tx-unknown;a=\"b\""},
        {" ,, ", "\t, "},
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        char *joined = join(harmless[i].before, offered, harmless[i].after);
        require_same(outcome, joined, policy);
        free(joined);
    }
    char *broken = join("", offered, ", a;");
    struct outcome refused = negotiate(broken, policy);
    FUZZ_REQUIRE(refused.result == EXTENSION_MALFORMED);
    free(refused.response);
    free(broken);
}

/* The grammar does not depend on what the server wants; whether an offer can be met, only on the main switch. */
static void check_policies(const struct outcome *outcome, const char *offered, bool is_enabled) {
    for (unsigned byte = 0; byte <= (FLAG_OFF | FLAG_FRESH); byte++) {
        struct deflate_policy policy = read_policy((uint8_t)byte);
        struct outcome other = negotiate(offered, &policy);
        FUZZ_REQUIRE((other.result == EXTENSION_MALFORMED) == (outcome->result == EXTENSION_MALFORMED));
        FUZZ_REQUIRE(policy.enabled != is_enabled || other.result == outcome->result);
        free(other.response);
    }
}

/* An answer is an offer that comes to itself; it only lacks what a client has promised and was not told. */
static void check_answer(const struct outcome *outcome, const struct deflate_policy *policy) {
    struct outcome again = negotiate(outcome->response, policy);
    FUZZ_REQUIRE(again.result == EXTENSION_ACCEPTED);
    FUZZ_REQUIRE(strcmp(again.response, outcome->response) == 0);
    if (strstr(outcome->response, "client_max_window_bits") == NULL)
        again.params.client_bits = outcome->params.client_bits;
    FUZZ_REQUIRE(memcmp(&again.params, &outcome->params, sizeof again.params) == 0);
    free(again.response);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    struct deflate_policy policy = read_policy(size == 0 ? 0 : input[0]);
    char *offered = size == 0 ? NULL : fuzz_text(input + 1, strnlen((const char *)input + 1, size - 1));
    struct outcome outcome = negotiate(offered, &policy);
    if (offered != NULL) {
        check_neighbours(&outcome, offered, &policy);
        check_policies(&outcome, offered, policy.enabled);
    }
    if (outcome.result == EXTENSION_ACCEPTED) {
        FUZZ_REQUIRE(offered != NULL && strstr(offered, "permessage-deflate") != NULL);
        check_answer(&outcome, &policy);
    }
    free(outcome.response);
    free(offered);
    return 0;
}
