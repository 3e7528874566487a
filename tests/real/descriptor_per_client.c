/* descriptor_per_client.c - a plug-in for test_descriptors.py: opens files when it starts, and a file or a socket
 * for each client, which it closes when one leaves. Echoes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/weir.h>

enum { OPENED_MAX = 65536 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the descriptors */
static int descriptors[OPENED_MAX], count;
static bool sockets;

static void take(void) {
    int fd = sockets ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_lock(&mutex);
    if (count < OPENED_MAX)
        descriptors[count++] = fd;
    pthread_mutex_unlock(&mutex);
}

static void give(void) {
    pthread_mutex_lock(&mutex);
    if (count > 0 && descriptors[--count] >= 0)
        close(descriptors[count]);
    pthread_mutex_unlock(&mutex);
}

static int start(weir_server *server, const weir_options *options, void **context, char *error, size_t error_size) {
    (void)server, (void)context, (void)error, (void)error_size;
    sockets = weir_option_number(options, "sockets") != 0;
    for (uint64_t i = 0; i < weir_option_number(options, "before"); i++)
        take();
    return 0;
}

static void stop(void *context) {
    (void)context;
    while (count > 0)
        give();
}

static void opened(weir_conn *conn, void *context) {
    (void)conn, (void)context;
    take();
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    weir_conn_send(conn, opcode, data, size);
}

static void closed(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)conn, (void)code, (void)reason, (void)context;
    give();
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .open = opened, .message = message, .close = closed};

static const struct weir_option options[] = {{"sockets", WEIR_OPTION_BOOLEAN, "no", "for each client, not a file"},
                                             {"before", WEIR_OPTION_INTEGER, "0", "opened at the start"},
                                             {NULL, WEIR_OPTION_TEXT, NULL, NULL}};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI,
                                        .name = "descriptor_per_client",
                                        .handler = &handler,
                                        .options = options,
                                        .start = start,
                                        .stop = stop};
