/* fuzz_origin.c - allowed origins: their stars against a slow matcher, the same host against other ways to write
 * it.
 *
 * The input: a line with the Host header, one with the Origin header, then a line for each allowed origin, at most
 * 16; the configuration's check drops some of these. A header that is "-" is missing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <stdbool.h>

#include "server/config/value.h"
#include "server/http/origin.h"
#include "tests/fuzz/fuzz.h"

enum { ALLOWED_MAX = 16, INPUT_MAX = 1024 /* the slow matcher takes the product of the lengths */ };

static const char *next_header(char **text) {
    const char *line = fuzz_next_line(text);
    return line != NULL && strcmp(line, "-") == 0 ? NULL : line;
}

static char *join(const char *before, const char *text, const char *after) {
    size_t size = strlen(before) + strlen(text) + strlen(after) + 1;
    char *joined = fuzz_allocate(size);
    snprintf(joined, size, "%s%s%s", before, text, after);
    return joined;
}

static bool allows(char *allowed, const char *origin, const char *host) {
    char *const alone[] = {allowed, NULL};
    return origin_is_allowed(alone, origin, host);
}

/* --- Stars ------------------------------------------------------------------------------------------------ */

/* After each character of the pattern, reached[i] says whether it can have taken the first i characters of the
 * text. */
static bool matches_slowly(const char *pattern, const char *text) {
    size_t size = strlen(text);
    bool *reached = fuzz_allocate(size + 1);
    memset(reached, 0, size + 1);
    reached[0] = true;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            for (size_t i = 0; i < size; i++)
                reached[i + 1] = reached[i + 1] || (reached[i] && text[i] != '/');
        } else {
            for (size_t i = size; i > 0; i--)
                reached[i] =
                    reached[i - 1] && tolower((unsigned char)text[i - 1]) == tolower((unsigned char)*pattern);
            reached[0] = false;
        }
    }
    bool matched = reached[size];
    free(reached);
    return matched;
}

static void check_allowed(char *allowed, const char *origin, const char *host) {
    bool is_allowed = allows(allowed, origin, host);
    if (strcmp(allowed, "*") == 0)
        FUZZ_REQUIRE(is_allowed);
    else if (*allowed == '"')
        FUZZ_REQUIRE(is_allowed ==
                     (strlen(allowed) == strlen(origin) + 2 && strstr(allowed + 1, origin) == allowed + 1));
    else if (strcmp(allowed, "same-host") != 0)
        FUZZ_REQUIRE(is_allowed == matches_slowly(allowed, origin));
}

/* One of them is enough, whichever it is. */
static void check_list(char *const *allowed, size_t count, const char *origin, const char *host) {
    char *reversed[ALLOWED_MAX + 1];
    bool is_allowed = false;
    for (size_t i = 0; i < count; i++) {
        check_allowed(allowed[i], origin, host);
        is_allowed = is_allowed || allows(allowed[i], origin, host);
        reversed[count - 1 - i] = allowed[i];
    }
    reversed[count] = NULL;
    FUZZ_REQUIRE(origin_is_allowed(allowed, origin, host) == is_allowed);
    FUZZ_REQUIRE(origin_is_allowed(reversed, origin, host) == is_allowed);
    FUZZ_REQUIRE(origin_is_allowed(allowed, NULL, host));
}

/* --- The same host ---------------------------------------------------------------------------------------- */

static bool same_host(const char *authority, const char *host) {
    char *origin = join("https://", authority, "");
    bool is_same = allows("same-host", origin, host);
    free(origin);
    return is_same;
}

static void require_joined(const char *before, const char *name, const char *after, bool expected) {
    char *authority = join(before, name, after);
    FUZZ_REQUIRE(same_host(authority, name) == expected);
    FUZZ_REQUIRE(same_host(name, authority) == expected);
    free(authority);
}

/* `name` is a host and nothing else: it is itself in any case and at any port, and no other. */
static void check_name(const char *name) {
    char *loud = join("", name, "");
    for (char *at = loud; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    FUZZ_REQUIRE(same_host(loud, name));
    free(loud);
    require_joined("", name, "", true);
    require_joined("", name, ":8080", true);
    require_joined("evil", name, "", false);
    require_joined("evil.", name, ":80", false);
    require_joined("evil@", name, "", false);
    if (*name != '[') /* nothing follows the bracket but a port, so nothing else is looked for */
        require_joined("", name, ".evil", false);
}

static bool is_name(const char *text) {
    size_t size = strlen(text);
    if (*text == '[')
        return size > 2 && strcspn(text, "]") == size - 1;
    return size > 0 && strcspn(text, ":/[]") == size;
}

static void check_same_host(const char *origin, const char *host) {
    FUZZ_REQUIRE(!allows("same-host", origin, NULL));
    const char *authority = strstr(origin, "://");
    if (authority == NULL) {
        FUZZ_REQUIRE(!allows("same-host", origin, host));
        return;
    }
    authority += 3;
    if (host != NULL) {
        FUZZ_REQUIRE(allows("same-host", origin, host) == same_host(authority, host));
        FUZZ_REQUIRE(same_host(authority, host) == same_host(host, authority));
    }
    FUZZ_REQUIRE(!same_host("", authority));
    if (is_name(authority))
        check_name(authority);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size > INPUT_MAX)
        return 0;
    char *text = fuzz_text(input, size), *rest = text, *allowed[ALLOWED_MAX + 1], *line;
    const char *host = next_header(&rest), *origin = next_header(&rest);
    size_t count = 0;
    while (count < ALLOWED_MAX && (line = fuzz_next_line(&rest)) != NULL)
        if (value_origin(line) == NULL)
            allowed[count++] = line;
    allowed[count] = NULL;
    if (origin == NULL) {
        FUZZ_REQUIRE(origin_is_allowed(allowed, NULL, host));
    } else {
        check_list(allowed, count, origin, host);
        check_same_host(origin, host);
    }
    free(text);
    return 0;
}
