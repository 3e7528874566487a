/* fuzz_target.c - request targets: what comes out lies within its bounds, and put together again it comes apart
 * into the same.
 *
 * The input is the target.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/http/target.h"
#include "tests/fuzz/fuzz.h"

static void check_parts(const struct target *target) {
    FUZZ_REQUIRE(*target->path == '/' || strcmp(target->path, "*") == 0);
    FUZZ_REQUIRE(strlen(target->path) <= TARGET_PATH_MAX && strlen(target->query) <= TARGET_MAX);
    FUZZ_REQUIRE(strpbrk(target->path, "?# \r\n") == NULL && strpbrk(target->query, "# \r\n") == NULL);
    FUZZ_REQUIRE(target->authority == NULL ||
                 (*target->authority != '\0' && strpbrk(target->authority, "/?#@\\\" \r\n") == NULL));
}

static void check_again(const struct target *target) {
    size_t size = 3 * TARGET_MAX;
    char *text = fuzz_allocate(size);
    const char *why = NULL;
    struct target again;
    snprintf(text, size, "%s%s%s%s%s", target->authority == NULL ? "" : "wS://",
             target->authority == NULL ? "" : target->authority, target->path, *target->query == '\0' ? "" : "?",
             target->query);
    int status = target_parse(text, &again, &why);
    FUZZ_REQUIRE(status == 0 || status == 414); /* a slash that was missing may be one too many */
    if (status == 0) {
        FUZZ_REQUIRE(strcmp(again.path, target->path) == 0 && strcmp(again.query, target->query) == 0);
        FUZZ_REQUIRE((again.authority == NULL) == (target->authority == NULL));
        FUZZ_REQUIRE(again.authority == NULL || strcmp(again.authority, target->authority) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    char *text = fuzz_text(input, size);
    const char *why = NULL;
    struct target target;
    int status = target_parse(text, &target, &why);
    FUZZ_REQUIRE(status == 0 || ((status == 400 || status == 414) && why != NULL));
    if (status == 0) {
        check_parts(&target);
        check_again(&target);
    }
    free(text);
    return 0;
}
