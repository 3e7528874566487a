/* config_text.c - configurations from text and back, for the tests of the configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/config_text.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
                                 "[channel_limits]\n"
                                 "history_memory = 2MiB\n"
                                 "[route /a/{b}/*]\n"
                                 "delay = 2s\n"
                                 "handler = plugin:/build/x.so\n"
                                 "note = a = b # c\n"
                                 "[route   /Room]\n"
                                 "handler = broadcast\n"
                                 "echo_self = no\n"
                                 "concurrency = 2\n"
                                 "[route /room]\n"
                                 "handler = echo\n"
                                 "[channel a:b/c+d]\n"
                                 "history = 10\n"
                                 "history_age = 0\n"
                                 "max_subscribers = 3\n"
                                 "subscribe = no\n"
                                 "publish = no\n"
                                 "[route /room/{name}/*]\n"
                                 "handler = relay\n"
                                 "channel = room:{*}/{name}~\n"
                                 "publish = no\n"
                                 "[channel   news:*]\n"
                                 "presence = yes\n"
                                 "announce = yes\n"
                                 "publisher = yes\n"
                                 "[route /news]\n"
                                 "handler = pubsub\n"
                                 "allowed_channels = news:* , news\n";

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

char *config_printed_whole(const struct config *config) {
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

char *config_printed(const struct config *config) {
    char *text = config_printed_whole(config), *to = text;
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = strchr(line, '\n') + 1;
        if (*line == '#')
            continue;
        memmove(to, line, (size_t)(next - line));
        to += next - line;
    }
    *to = '\0';
    return text;
}

/* --- A folder ------------------------------------------------------------------------------------------------- */

char config_folder[64];

void config_folder_make(void) {
    strcpy(config_folder, "/tmp/weir-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(config_folder));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void config_folder_remove(void) {
    nftw(config_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void config_folder_write(const char *name, const char *text) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", config_folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

const char *config_folder_error(const char *error) {
    static char shown[2 * CONFIG_ERROR_SIZE];
    size_t size = strlen(config_folder);
    char *to = shown;
    while (*error != '\0')
        if (strncmp(error, config_folder, size) == 0) {
            to = stpcpy(to, "DIR");
            error += size;
        } else {
            *to++ = *error++;
        }
    *to = '\0';
    return shown;
}
