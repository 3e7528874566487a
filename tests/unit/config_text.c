/* config_text.c - configurations from text and back, for the tests of the configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/config_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char config_whole_file[] = "# all kinds of values\n"
                                 "[server]\n"
                                 "listen = 127.0.0.1:9000 , [::1]:9000\n"
                                 "workers=3\n"
                                 "  drain_timeout  =  1500ms  \n"
                                 "   ; an indented comment = no key\n"
                                 "unknown_route = 404\n"
                                 "\n"
                                 "  [ websocket ]\n"
                                 "max_message_size = 64KiB\n"
                                 "[log]\n"
                                 "level = debug\n"
                                 "[route /a/{b}/*]\n"
                                 "delay = 2s\n"
                                 "handler = plugin:build/x.so\n"
                                 "note = a = b # c\n"
                                 "[route   /Room]\n"
                                 "handler = broadcast\n"
                                 "echo_self = no\n"
                                 "concurrency = 2\n"
                                 "[route /room]\n"
                                 "handler = echo\n";

int config_load_bytes(struct config *config, const char *bytes, size_t size, char error[CONFIG_ERROR_SIZE]) {
    char path[] = "/tmp/weir-test-XXXXXX", message[CONFIG_ERROR_SIZE - 4] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    int result = config_load(config, path, message, sizeof message);
    unlink(path);
    bool has_path = strncmp(message, path, strlen(path)) == 0;
    snprintf(error, CONFIG_ERROR_SIZE, "%s%s", has_path ? "FILE" : "", message + (has_path ? strlen(path) : 0));
    return result;
}

struct config *config_loaded(const char *bytes, size_t size) {
    char error[CONFIG_ERROR_SIZE];
    struct config *config = config_create();
    ck_assert_ptr_nonnull(config);
    ck_assert_msg(config_load_bytes(config, bytes, size, error) == 0, "%s", error);
    return config;
}

struct config *config_loaded_text(const char *text) {
    return config_loaded(text, strlen(text));
}

char *config_printed(const struct config *config) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    if (config != NULL)
        config_print(config, out);
    else
        config_list(out);
    fclose(out);
    return text;
}
