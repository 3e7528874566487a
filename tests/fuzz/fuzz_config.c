/* fuzz_config.c - ini files: what loads prints as a file that loads to the same; what does not has one line to say,
 * as a --set or a variable of the environment has.
 *
 * The input is the file, or that. It is never on a disk: the loader opens an anonymous file by its name in /proc.
 * Inputs that would have it read this machine's files are left out.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/config/config.h"
#include "server/config/value.h"
#include "tests/fuzz/fuzz.h"

static void check_error(const char *error) {
    size_t size = strnlen(error, CONFIG_ERROR_SIZE);
    FUZZ_REQUIRE(size > 0 && size < CONFIG_ERROR_SIZE);
    FUZZ_REQUIRE(value_text_error(error, size) == NULL); /* one line of text */
}

static int make_file(const void *bytes, size_t size) {
    int fd = memfd_create("weir-fuzz", MFD_CLOEXEC);
    FUZZ_REQUIRE(fd >= 0);
    FUZZ_REQUIRE(write(fd, bytes, size) == (ssize_t)size);
    return fd;
}

/* The configuration that the bytes are, or NULL. */
static struct config *load(const void *bytes, size_t size) {
    int fd = make_file(bytes, size);
    char path[64], *error = fuzz_allocate(CONFIG_ERROR_SIZE);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *config = config_create();
    FUZZ_REQUIRE(config != NULL);
    int result = config_load(config, path, error, CONFIG_ERROR_SIZE);
    close(fd);
    FUZZ_REQUIRE(result == 0 || result == -1);
    if (result != 0) {
        check_error(error);
        FUZZ_REQUIRE(strncmp(error, path, strlen(path)) == 0 && error[strlen(path)] == ':');
        FUZZ_REQUIRE(config->route_count + config->channel_rule_count == 0);
        config_destroy(config);
        config = NULL;
    }
    free(error);
    return config;
}

/* Without the comments, which say where values come from. */
static void drop_comments(char *text, size_t *size) {
    char *end = text + *size, *to = text;
    for (char *line = text, *next; line < end; line = next) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline != NULL ? newline + 1 : end;
        if (*line == '#')
            continue;
        memmove(to, line, (size_t)(next - line));
        to += next - line;
    }
    *size = (size_t)(to - text);
}

static char *print(const struct config *config, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    FUZZ_REQUIRE(out != NULL);
    config_print(config, out);
    FUZZ_REQUIRE(fclose(out) == 0);
    drop_comments(text, size);
    return text;
}

static bool check_together(struct config *config) {
    char error[CONFIG_ERROR_SIZE] = "";
    bool good = config_check(config, error, sizeof error) == 0;
    if (!good)
        check_error(error);
    return good;
}

static void check_single(const uint8_t *input, size_t size) {
    char *text = fuzz_text(input, size), *environment[] = {text, NULL}, error[CONFIG_ERROR_SIZE];
    const struct config_sources all[] = {{.environment = environment},
                                         {.settings = environment, .setting_count = 1}};
    for (size_t i = 0; i < 2; i++) {
        struct config *config = config_build(&all[i], error, sizeof error);
        if (config == NULL)
            check_error(error);
        config_destroy(config);
    }
    free(text);
}

static bool has(const uint8_t *input, size_t size, const char *word) {
    return memmem(input, size, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (has(input, size, "include") || has(input, size, "token_file") || has(input, size, "TOKEN_FILE"))
        return 0;
    check_single(input, size);
    struct config *config = load(input, size);
    if (config == NULL)
        return 0;
    if (config->admin.token != NULL) /* which is not printed */
        FUZZ_REQUIRE(config_set(config, "admin", "token", "none", (char[8]){0}, 8) == 0);
    size_t printed_size, again_size;
    char *printed = print(config, &printed_size);
    struct config *reloaded = load(printed, printed_size);
    FUZZ_REQUIRE(reloaded != NULL);
    char *again = print(reloaded, &again_size);
    FUZZ_REQUIRE(again_size == printed_size && memcmp(again, printed, printed_size) == 0);
    FUZZ_REQUIRE(check_together(config) == check_together(reloaded));
    free(printed);
    free(again);
    config_destroy(config);
    config_destroy(reloaded);
    return 0;
}
