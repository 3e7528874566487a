/* fuzz_client_handshake.c - the answer to the client's handshake: checked in memory that ends where it ends,
 * whatever part of it has arrived.
 *
 * The input: a byte of flags, then the bytes that a server sends. Bit 0: compression was offered; bit 1:
 * subprotocols were.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>

#include "client/client_handshake.h"
#include "tests/fuzz/fuzz.h"

#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { FLAG_COMPRESS = 1, FLAG_SUBPROTOCOLS = 2, PREFIXES_MAX = 64 };

static const char *const offered[] = {"chat.v2", "chat.v1", NULL};

/* One line, fit for a terminal. */
static void check_error(const struct weir_client_error *error) {
    FUZZ_REQUIRE(error->cause == WEIR_CLIENT_HTTP || error->cause == WEIR_CLIENT_HANDSHAKE);
    FUZZ_REQUIRE((error->http_status != 0) == (error->cause == WEIR_CLIENT_HTTP));
    FUZZ_REQUIRE(error->http_status == 0 || (error->http_status >= 100 && error->http_status <= 999));
    FUZZ_REQUIRE(error->text[0] != '\0' && strnlen(error->text, sizeof error->text) < sizeof error->text);
    for (const char *at = error->text; *at != '\0'; at++)
        FUZZ_REQUIRE((unsigned char)*at >= ' ' && *at != 0x7F);
}

static void check_handshake(const char *head, size_t head_size, const struct weir_client_options *options,
                            const struct client_handshake *handshake) {
    const char *accept = client_handshake_header(head, head_size, "sec-websocket-accept");
    FUZZ_REQUIRE(accept != NULL && strcmp(accept, ACCEPT) == 0);
    FUZZ_REQUIRE(client_handshake_header(head, head_size, "Upgrade") != NULL);
    FUZZ_REQUIRE(!handshake->deflate.enabled || options->compress);
    FUZZ_REQUIRE(!handshake->deflate.enabled || (handshake->deflate.client_bits >= WINDOW_BITS_MIN &&
                                                 handshake->deflate.server_bits >= WINDOW_BITS_MIN));
    const char *subprotocol = handshake->subprotocol;
    FUZZ_REQUIRE(subprotocol == client_handshake_header(head, head_size, "Sec-WebSocket-Protocol"));
    FUZZ_REQUIRE(subprotocol == NULL || (options->subprotocols != NULL && (strcmp(subprotocol, offered[0]) == 0 ||
                                                                           strcmp(subprotocol, offered[1]) == 0)));
}

static void check(const char *bytes, size_t size, size_t head_size, const struct weir_client_options *options) {
    char *head = fuzz_text(bytes, head_size), *body = fuzz_allocate(size - head_size);
    if (size > head_size)
        memcpy(body, bytes + head_size, size - head_size);
    struct client_handshake handshake;
    struct weir_client_error error = {0};
    bool awaits = client_handshake_awaits_body(bytes, head_size, size);
    if (client_handshake_check(head, head_size, body, size - head_size, KEY, options, &handshake, &error)) {
        FUZZ_REQUIRE(!awaits && error.cause == WEIR_CLIENT_NO_ERROR);
        check_handshake(head, head_size, options, &handshake);
    } else {
        check_error(&error);
    }
    free(head);
    free(body);
}

/* What has arrived of a possible answer was one. */
static void check_prefixes(const char *bytes, size_t size) {
    struct weir_client_error error = {0};
    bool possible = true;
    for (size_t part = 0; part <= size && part <= PREFIXES_MAX; part++) {
        char *exact = fuzz_allocate(part);
        if (part > 0)
            memcpy(exact, bytes, part);
        bool still = client_handshake_is_possible(exact, part, &error);
        FUZZ_REQUIRE(possible || !still);
        FUZZ_REQUIRE(still || error.cause == WEIR_CLIENT_HANDSHAKE);
        possible = still;
        free(exact);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0)
        return 0;
    struct weir_client_options options = {.compress = (input[0] & FLAG_COMPRESS) != 0,
                                          .subprotocols = (input[0] & FLAG_SUBPROTOCOLS) != 0 ? offered : NULL};
    struct weir_client_error error = {0};
    size--;
    char *bytes = fuzz_allocate(size);
    if (size > 0)
        memcpy(bytes, input + 1, size);
    check_prefixes(bytes, size);
    size_t head_size = client_handshake_head_size(bytes, size);
    if (head_size > 0 && client_handshake_is_possible(bytes, size, &error))
        check(bytes, size, head_size, &options);
    free(bytes);
    return 0;
}
