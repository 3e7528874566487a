/* fuzz_handshake.c - the opening handshake: the verdict on a request, its key, lists of tokens.
 *
 * The input: a byte of flags, then up to eight lines: method, HTTP version, Host, Upgrade, Connection,
 * Sec-WebSocket-Key, Sec-WebSocket-Version, Sec-WebSocket-Protocol. A line that is "-" is a header that is missing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdbool.h>

#include "tests/fuzz/fuzz.h"
#include "ws/handshake.h"

enum { FLAG_BODY = 1, FLAG_REPEATED = 2 };

static const char *next_header(char **text) {
    const char *line = fuzz_next_line(text);
    return line != NULL && strcmp(line, "-") == 0 ? NULL : line;
}

/* --- Lists ----------------------------------------------------------------------------------------------- */

static bool joined_has_token(const char *front, const char *list, const char *back, const char *token) {
    size_t size = strlen(front) + strlen(list) + strlen(back) + 1;
    char *joined = fuzz_allocate(size);
    snprintf(joined, size, "%s%s%s", front, list, back);
    bool found = handshake_has_token(joined, token);
    free(joined);
    return found;
}

/* A list's verdict stands whatever other tokens, blanks and empty items come before or behind it. */
static void check_list(const char *list, const char *token) {
    bool found = handshake_has_token(list, token);
    if (list == NULL) {
        FUZZ_REQUIRE(!found);
        return;
    }
    FUZZ_REQUIRE(!found || strcasestr(list, token) != NULL);
    FUZZ_REQUIRE(joined_has_token("other,\t", list, "", token) == found);
    FUZZ_REQUIRE(joined_has_token("", list, " , other/2", token) == found);
    FUZZ_REQUIRE(joined_has_token(", ", list, ",", token) == found);
    FUZZ_REQUIRE(joined_has_token("", list, ", two words", token) == found);
}

static void check_select(const char *offered) {
    char *const preferred[] = {"chat.v2", "chat.v1", "CHAT", NULL};
    const char *selected = handshake_select(preferred, offered);
    FUZZ_REQUIRE(handshake_select(NULL, offered) == NULL);
    for (size_t i = 0; preferred[i] != NULL; i++) {
        char *const alone[] = {preferred[i], NULL};
        bool is_offered = handshake_select(alone, offered) != NULL;
        FUZZ_REQUIRE(!is_offered ||
                     (strstr(offered, preferred[i]) != NULL && handshake_has_token(offered, preferred[i])));
        if (is_offered) {
            FUZZ_REQUIRE(selected == preferred[i]);
            return;
        }
    }
    FUZZ_REQUIRE(selected == NULL);
}

/* --- Requests -------------------------------------------------------------------------------------------- */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int check(const struct handshake_request *request, char accept[HANDSHAKE_ACCEPT_SIZE]) {
    const char *why = NULL;
    int status = handshake_check(request, accept, &why);
    FUZZ_REQUIRE(status == 101 || status == 400 || status == 405 || status == 426);
    FUZZ_REQUIRE(why != NULL && strchr(why, '\n') == NULL && (*why == '\0') == (status == 101));
    return status;
}

/* 22 characters of base64 for 16 bytes, whatever the four bits are that are left over. */
static void check_key(const char *key) {
    const char *padding = strstr(key, "==");
    FUZZ_REQUIRE(padding != NULL && padding - key >= 22);
    FUZZ_REQUIRE(strspn(padding - 22, base64) == 22);
}

static void check_accepted(const struct handshake_request *request, const char *accept) {
    FUZZ_REQUIRE(strspn(accept, base64) == 27 && strcmp(accept + 27, "=") == 0);
    FUZZ_REQUIRE(strcmp(request->method, "GET") == 0 && !request->has_body && !request->repeated);
    FUZZ_REQUIRE(handshake_wanted(request) && handshake_has_token(request->connection, "upgrade"));
    FUZZ_REQUIRE(strstr(request->version, "13") != NULL);
    check_key(request->key);

    /* The case of Connection does not count, a body and a second key do. */
    char *loud = fuzz_text(request->connection, strlen(request->connection));
    for (char *at = loud; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    char again[HANDSHAKE_ACCEPT_SIZE];
    struct handshake_request other = *request;
    other.connection = loud;
    FUZZ_REQUIRE(check(&other, again) == 101 && strcmp(again, accept) == 0);
    other.has_body = true;
    FUZZ_REQUIRE(check(&other, again) == 400);
    other.has_body = false;
    other.repeated = true;
    FUZZ_REQUIRE(check(&other, again) == 400);
    free(loud);
}

static void check_request(const struct handshake_request *request) {
    char *accept = fuzz_allocate(HANDSHAKE_ACCEPT_SIZE);
    if (check(request, accept) == 101)
        check_accepted(request, accept);
    free(accept);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0)
        return 0;
    char *text = fuzz_text(input + 1, size - 1), *rest = text;
    struct handshake_request request = {.has_body = (input[0] & FLAG_BODY) != 0,
                                        .repeated = (input[0] & FLAG_REPEATED) != 0};
    request.method = next_header(&rest);
    request.http_version = next_header(&rest);
    request.host = next_header(&rest);
    request.upgrade = next_header(&rest);
    request.connection = next_header(&rest);
    request.key = next_header(&rest);
    request.version = next_header(&rest);
    check_list(request.upgrade, "websocket");
    check_list(request.connection, "Upgrade");
    check_select(next_header(&rest));
    check_request(&request);
    free(text);
    return 0;
}
