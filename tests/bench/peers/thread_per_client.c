/* thread_per_client.c - what the obvious design costs: civetweb's own WebSocket layer, which has a thread for each
 * connection, a queue behind a mutex, a pool of eight threads for the handlers, and a list behind a mutex for
 * broadcasts.
 *
 *     thread_per_client PORT        listens on 127.0.0.1 and prints `listening`; SIGTERM or SIGINT end it
 *     thread_per_client --version   of civetweb
 *
 * Serves /echo, /broadcast, /room/NAME, /pings, /sleep ("sleep N" holds one thread of the pool for N ms) and
 * POST /publish/NAME. Debian's civetweb has no permessage-deflate, and pings idle clients on every path, not only
 * on /pings. All its threads are there from the start: 10,050, which is how many clients it can have. A client's
 * messages are handled in their order: it stands in the queue once, and one thread at a time has it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <civetweb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { HANDLER_THREADS = 8, STACK_SIZE = 64 << 10, MESSAGE_MAX = 16 << 20, WAITING_MAX = 256 };

struct message {
    struct message *next;
    int opcode;
    size_t size;
    char bytes[];
};

struct client {
    struct mg_connection *connection;
    const char *path;
    struct client *next_member; /* of members; guarded by members_mutex */
    struct message *input;      /* what has come of a message in fragments; its own thread's */

    /* Guarded by queue_mutex. */
    struct message *first, **last;
    unsigned waiting;
    struct client *next_queued;
    bool queued; /* in the queue, or a thread of the pool has it */
};

static pthread_mutex_t members_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct client *members; /* of /broadcast and all rooms */

static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t client_handled = PTHREAD_COND_INITIALIZER;
static struct client *queue, **queue_end = &queue;

/* --- The pool --------------------------------------------------------------------------------------------- */

static void send_to_members(const char *path, const struct message *message) {
    pthread_mutex_lock(&members_mutex);
    for (struct client *member = members; member; member = member->next_member)
        if (strcmp(member->path, path) == 0)
            mg_websocket_write(member->connection, message->opcode, message->bytes, message->size);
    pthread_mutex_unlock(&members_mutex);
}

static bool is_shared(const char *path) {
    return strcmp(path, "/broadcast") == 0 || strncmp(path, "/room/", 6) == 0;
}

static void handle(struct client *client, const struct message *message) {
    char text[32] = "";
    unsigned milliseconds;
    if (is_shared(client->path)) {
        send_to_members(client->path, message);
        return;
    }
    memcpy(text, message->bytes, message->size < sizeof text ? message->size : sizeof text - 1);
    if (strcmp(client->path, "/sleep") == 0 && sscanf(text, "sleep %u", &milliseconds) == 1)
        usleep(milliseconds * 1000);
    mg_websocket_write(client->connection, message->opcode, message->bytes, message->size);
}

static void enqueue_locked(struct client *client) {
    client->next_queued = NULL;
    *queue_end = client;
    queue_end = &client->next_queued;
    pthread_cond_signal(&queue_filled);
}

static struct client *dequeue_locked(void) {
    while (!queue)
        pthread_cond_wait(&queue_filled, &queue_mutex);
    struct client *client = queue;
    queue = client->next_queued;
    if (!queue)
        queue_end = &queue;
    return client;
}

static void *run_handlers(void *unused) {
    pthread_mutex_lock(&queue_mutex);
    for (;;) {
        struct client *client = dequeue_locked();
        struct message *message = client->first;
        client->first = message->next;
        if (!client->first)
            client->last = &client->first;
        pthread_mutex_unlock(&queue_mutex);
        handle(client, message);
        free(message);
        pthread_mutex_lock(&queue_mutex);
        bool was_full = client->waiting-- == WAITING_MAX;
        client->queued = client->first != NULL;
        if (client->queued)
            enqueue_locked(client);
        if (!client->queued || was_full)
            pthread_cond_broadcast(&client_handled);
    }
    return unused;
}

/* --- What civetweb calls, on the connection's own thread --------------------------------------------------- */

static void give_to_pool(struct client *client, struct message *message) {
    message->next = NULL;
    pthread_mutex_lock(&queue_mutex);
    while (client->waiting == WAITING_MAX)
        pthread_cond_wait(&client_handled, &queue_mutex);
    client->waiting++;
    *client->last = message;
    client->last = &message->next;
    if (!client->queued) {
        client->queued = true;
        enqueue_locked(client);
    }
    pthread_mutex_unlock(&queue_mutex);
}

/* Appends to what has come, which may be nothing (NULL). NULL: it is too much. */
static struct message *append(struct message *input, int opcode, const char *bytes, size_t size) {
    size_t filled = input ? input->size : 0;
    struct message *grown = size <= MESSAGE_MAX - filled ? realloc(input, sizeof *grown + filled + size) : NULL;
    if (!grown)
        return NULL;
    if (!input)
        grown->opcode = opcode;
    memcpy(grown->bytes + filled, bytes, size);
    grown->size = filled + size;
    return grown;
}

static int on_data(struct mg_connection *connection, int bits, char *bytes, size_t size, void *unused) {
    (void)unused;
    struct client *client = mg_get_user_connection_data(connection);
    int opcode = bits & 0xf;
    if (opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE) {
        mg_websocket_write(connection, opcode, bytes, size);
        return 0;
    }
    struct message *message = append(client->input, opcode, bytes, size);
    if (!message)
        return 0;
    bool is_final = (bits & 0x80) != 0;
    client->input = is_final ? NULL : message;
    if (is_final)
        give_to_pool(client, message);
    return 1;
}

static void on_open(struct mg_connection *connection, void *unused) {
    (void)unused;
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        abort();
    client->connection = connection;
    client->path = mg_get_request_info(connection)->local_uri;
    client->last = &client->first;
    mg_set_user_connection_data(connection, client);
    if (!is_shared(client->path))
        return;
    pthread_mutex_lock(&members_mutex);
    client->next_member = members;
    members = client;
    pthread_mutex_unlock(&members_mutex);
}

static void on_close(const struct mg_connection *connection, void *unused) {
    (void)unused;
    struct client *client = mg_get_user_connection_data(connection);
    if (!client)
        return;
    pthread_mutex_lock(&members_mutex);
    for (struct client **member = &members; *member; member = &(*member)->next_member)
        if (*member == client) {
            *member = client->next_member;
            break;
        }
    pthread_mutex_unlock(&members_mutex);
    pthread_mutex_lock(&queue_mutex);
    while (client->queued)
        pthread_cond_wait(&client_handled, &queue_mutex);
    pthread_mutex_unlock(&queue_mutex);
    free(client->input);
    free(client);
}

static int on_publish(struct mg_connection *connection, void *unused) {
    (void)unused;
    char path[256], bytes[16384];
    const struct mg_request_info *request = mg_get_request_info(connection);
    snprintf(path, sizeof path, "/room/%s", request->local_uri + strlen("/publish/"));
    struct message *message = append(NULL, MG_WEBSOCKET_OPCODE_TEXT, "", 0);
    int size;
    while (message && (size = mg_read(connection, bytes, sizeof bytes)) > 0)
        message = append(message, 0, bytes, (size_t)size);
    if (message)
        send_to_members(path, message);
    free(message);
    mg_printf(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    return 200;
}

/* --- The server -------------------------------------------------------------------------------------------- */

static struct mg_context *start(const char *port) {
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    /* One ping of an idle client, then every 20 s. */
    const char *options[] = {"listening_ports",
                             address,
                             "num_threads",
                             "10050",
                             "tcp_nodelay",
                             "1",
                             "listen_backlog",
                             "4096",
                             "connection_queue",
                             "1000",
                             "enable_keep_alive",
                             "yes",
                             "websocket_timeout_ms",
                             "20000",
                             "enable_websocket_ping_pong",
                             "yes",
                             NULL};
    struct mg_callbacks callbacks = {0};
    struct mg_context *context = mg_start(&callbacks, NULL, options);
    if (!context)
        return NULL;
    mg_set_websocket_handler(context, "**", NULL, on_open, on_data, on_close, NULL);
    mg_set_request_handler(context, "/publish/", on_publish, NULL);
    return context;
}

/* civetweb takes the default for its threads. */
static void make_stacks_small(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("civetweb %s\n", mg_version()) < 0;
    if (argc != 2) {
        fprintf(stderr, "usage: thread_per_client PORT\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    sigset_t ends; /* blocked in all threads, which inherit it, and waited for in this one */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    make_stacks_small();
    for (int i = 0; i < HANDLER_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_handlers, NULL) != 0)
            return 1;
    }
    mg_init_library(0);
    if (!start(argv[1])) {
        fprintf(stderr, "thread_per_client: civetweb does not start\n");
        return 1;
    }
    puts("listening");
    fflush(stdout);
    int number;
    sigwait(&ends, &number);
    _exit(0); /* nobody's: what is connected is cut off, as by the other peers */
}
