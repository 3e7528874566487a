/* embedded.c - see embedded.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/embedded.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/assertions.h"
#include "tests/unit/late.h"

unsigned embedded_free_port(char address[32]) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    close(fd);
    snprintf(address, 32, "127.0.0.1:%u", ntohs(name.sin_port));
    return ntohs(name.sin_port);
}

void embedded_set(struct embedded *embedded, const char *section, const char *key, const char *value) {
    ck_assert_msg(weir_server_set(embedded->server, section, key, value) == 0, "%s",
                  weir_server_error(embedded->server));
}

void embedded_create(struct embedded *embedded) {
    char address[32];
    embedded->server = weir_server_create();
    ck_assert_ptr_nonnull(embedded->server);
    embedded->port = embedded_free_port(address);
    embedded_set(embedded, "server", "listen", address);
    embedded_set(embedded, "server", "workers", "3");
    embedded_set(embedded, "server", "http_threads", "3");
    embedded_set(embedded, "server", "max_connections", "100");
    embedded_set(embedded, "log", "level", "error");
}

static void *run(void *arg) {
    struct embedded *embedded = arg;
    embedded->result = weir_server_run(embedded->server);
    return NULL;
}

static bool takes_clients(const struct embedded *embedded) {
    const struct sockaddr_in name = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                     .sin_port = htons((uint16_t)embedded->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool taken = connect(fd, (const struct sockaddr *)&name, sizeof name) == 0;
    close(fd);
    return taken;
}

void embedded_start(struct embedded *embedded) {
    ck_assert_int_eq(pthread_create(&embedded->thread, NULL, run, embedded), 0);
    UNTIL(takes_clients(embedded));
}

void embedded_stop(struct embedded *embedded) {
    weir_server_stop(embedded->server);
    pthread_join(embedded->thread, NULL);
}

weir_client *embedded_connect(const struct embedded *embedded, const char *path) {
    struct weir_client_error error;
    char url[200];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", embedded->port, path);
    weir_client *client = weir_client_connect(url, NULL, &error);
    ck_assert_msg(client != NULL, "%s: %s", url, error.text);
    return client;
}

static unsigned count_entries(const char *path) {
    unsigned count = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

unsigned count_descriptors(void) {
    return count_entries("/proc/self/fd");
}

unsigned count_threads(void) {
    return count_entries("/proc/self/task");
}
