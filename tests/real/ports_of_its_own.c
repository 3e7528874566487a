/* ports_of_its_own.c - a plug-in for test_descriptors.py: listens on ports of its own, which it opens one after the
 * other while the server starts. Their numbers go into a file, a line for each; an empty line says that all are
 * open. Whoever connects there and has sent a line gets it back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

enum { PORTS = 300, LINE_MAX = 100 };

static struct pollfd polled[2 * PORTS]; /* listeners, and one client of each */
static char lines[PORTS][LINE_MAX];
static FILE *file;
static pthread_t thread;
static _Atomic bool stopping;

static void open_port(int i) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    polled[PORTS + i] = (struct pollfd){.fd = -1, .events = POLLIN};
    if (bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        fprintf(file, "%u\n", ntohs(address.sin_port));
}

static void serve(int i) {
    struct pollfd *listener = &polled[i], *client = &polled[PORTS + i];
    size_t length = strlen(lines[i]);
    if (listener->revents != 0 && client->fd < 0)
        client->fd = accept(listener->fd, NULL, NULL);
    if (client->revents == 0)
        return;
    if (recv(client->fd, lines[i] + length, LINE_MAX - 1 - length, 0) <= 0) {
        close(client->fd);
        client->fd = -1;
    } else if (strchr(lines[i], '\n') != NULL) {
        const char *answer = fcntl(listener->fd, F_GETFL) & O_NONBLOCK ? "touched\n" : lines[i];
        send(client->fd, answer, strlen(answer), MSG_NOSIGNAL);
    }
}

static void *run(void *unused) {
    (void)unused;
    for (int i = 0; i < PORTS; i++) {
        open_port(i);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    fprintf(file, "\n");
    fclose(file);
    while (!stopping)
        if (poll(polled, 2 * PORTS, 20) > 0)
            for (int i = 0; i < PORTS; i++)
                serve(i);
    return NULL;
}

static int start(weir_server *server, const weir_options *options, void **context, char *error, size_t error_size) {
    (void)server, (void)context;
    file = fopen(weir_option_text(options, "file"), "w");
    if (file != NULL && pthread_create(&thread, NULL, run, NULL) == 0)
        return 0;
    snprintf(error, error_size, "ports_of_its_own: cannot start");
    return -1;
}

static void stop(void *context) {
    (void)context;
    stopping = true;
    pthread_join(thread, NULL);
    for (int i = 0; i < 2 * PORTS; i++)
        if (polled[i].fd >= 0)
            close(polled[i].fd);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT};

static const struct weir_option options[] = {{"file", WEIR_OPTION_TEXT, "", "where the ports are written"},
                                             {NULL, WEIR_OPTION_TEXT, NULL, NULL}};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI,
                                        .name = "ports_of_its_own",
                                        .handler = &handler,
                                        .options = options,
                                        .start = start,
                                        .stop = stop};
