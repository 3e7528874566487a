/* libwebsockets.c - the peer on libwebsockets, written against its API as its users write: one protocol, one
 * service thread.
 *
 *     libwebsockets PORT        listens on 127.0.0.1 and prints `listening`; SIGTERM or SIGINT end it
 *     libwebsockets --version   of the library
 *
 * Serves /echo, /deflate (permessage-deflate for clients that offer it without context takeover; elsewhere
 * none), /broadcast, /room/NAME, /pings, /sleep ("sleep N" holds the thread for N ms) and POST /publish/NAME. A
 * message is counted and queued for each of its receivers, and written from the writable callback. A client of
 * its own replies is not read while many wait; a receiver that is too far behind is dropped. UTF-8 is not
 * checked, as is the library's default.
 *
 * SPDX-License-Identifier: MIT
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 16 << 20,
    RECEIVE_SIZE = 16384, /* what the library reads at once, for each client */
    QUEUE_SOFT = 256,     /* replies that may wait for a client before it is read no more */
    QUEUE_MAX = 1 << 14,  /* a receiver that is further behind is dropped */
    PING_SECONDS = 20
};

/* 2 MiB: a message that fills a buffer of its extension is where libwebsockets 4.1 ends in an assertion. With
 * several clients, compressed messages of 64 KiB end there all the same, or come back changed; those of 10 KiB do
 * not. */
#define DEFLATE_BUFFER_BITS "21"

struct message {
    unsigned references;
    enum lws_write_protocol type;
    size_t size;
    unsigned char bytes[]; /* LWS_PRE of them are the library's */
};

struct room {
    char *path;
    struct room *next;
    lws_dll2_owner_t members;
};

/* What the library keeps for each session, a WebSocket or an HTTP request. */
struct client {
    struct lws *wsi;
    struct room *room; /* NULL: its messages come back to it alone */
    lws_dll2_t member; /* of the room */
    lws_dll2_t pinged; /* of pinged_clients */
    lws_usec_t next_ping;
    struct message *input; /* what has come of a message */
    size_t input_capacity;
    struct message **queue; /* a ring */
    unsigned queue_head, queue_count, queue_capacity;
    bool sleeps, compresses, ping_is_due, paused;
};

static struct room *rooms;
static lws_dll2_owner_t pinged_clients; /* the longest ago first */
static lws_sorted_usec_list_t ping_timer;
static volatile sig_atomic_t stopping;
static struct lws_context *context;

static void *reallocate(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (!grown)
        abort();
    return grown;
}

static void message_release(struct message *message) {
    if (message && --message->references == 0)
        free(message);
}

/* --- What waits to be written ----------------------------------------------------------------------------- */

static void queue_grow(struct client *client) {
    unsigned capacity = client->queue_capacity ? client->queue_capacity * 2 : 4;
    struct message **grown = reallocate(NULL, capacity * sizeof *grown);
    for (unsigned i = 0; i < client->queue_count; i++)
        grown[i] = client->queue[(client->queue_head + i) % client->queue_capacity];
    free(client->queue);
    client->queue = grown;
    client->queue_head = 0;
    client->queue_capacity = capacity;
}

static void client_send(struct client *client, struct message *message) {
    if (client->queue_count == QUEUE_MAX) {
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        return;
    }
    if (client->queue_count == client->queue_capacity)
        queue_grow(client);
    message->references++;
    client->queue[(client->queue_head + client->queue_count++) % client->queue_capacity] = message;
    lws_callback_on_writable(client->wsi);
}

static struct message *queue_take(struct client *client) {
    struct message *message = client->queue[client->queue_head];
    client->queue_head = (client->queue_head + 1) % client->queue_capacity;
    client->queue_count--;
    return message;
}

/* What a socket does not take, the library keeps; it must not be given more before that has gone. Of compressed
 * messages it wants one for each time that it calls, and does not tell whether it has more of it. */
static int client_write(struct client *client) {
    unsigned char ping[LWS_PRE + 1];
    if (client->ping_is_due) {
        client->ping_is_due = false;
        if (lws_write(client->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0)
            return -1;
    }
    while (client->queue_count > 0 && !lws_partial_buffered(client->wsi)) {
        struct message *message = queue_take(client);
        int written = lws_write(client->wsi, message->bytes + LWS_PRE, message->size, message->type);
        message_release(message);
        if (written < 0)
            return -1;
        if (client->compresses)
            break;
    }
    if (client->queue_count > 0)
        lws_callback_on_writable(client->wsi);
    if (client->paused && client->queue_count < QUEUE_SOFT / 2) {
        client->paused = false;
        lws_rx_flow_control(client->wsi, 1);
    }
    return 0;
}

/* --- Messages --------------------------------------------------------------------------------------------- */

/* Appends to client->input. False: the message is too large. */
static bool input_append(struct client *client, const void *bytes, size_t size) {
    size_t filled = client->input ? client->input->size : 0;
    if (size > MESSAGE_MAX - filled)
        return false;
    if (!client->input || client->input_capacity - filled < size) {
        client->input_capacity = client->input ? (filled + size) * 2 : size;
        client->input = reallocate(client->input, sizeof *client->input + LWS_PRE + client->input_capacity);
    }
    if (size > 0)
        memcpy(client->input->bytes + LWS_PRE + filled, bytes, size);
    client->input->size = filled + size;
    return true;
}

static struct message *input_take(struct client *client, enum lws_write_protocol type) {
    struct message *message = client->input;
    client->input = NULL;
    message->references = 1;
    message->type = type;
    return message;
}

static void room_send(struct room *room, struct message *message) {
    lws_start_foreach_dll(lws_dll2_t *, member, lws_dll2_get_head(&room->members)) {
        client_send(lws_container_of(member, struct client, member), message);
    }
    lws_end_foreach_dll(member);
}

static void sleep_if_told(const struct message *message) {
    char text[32] = "";
    unsigned milliseconds;
    memcpy(text, message->bytes + LWS_PRE, message->size < sizeof text ? message->size : sizeof text - 1);
    if (sscanf(text, "sleep %u", &milliseconds) == 1)
        usleep(milliseconds * 1000);
}

static void client_reply(struct client *client, struct message *message) {
    if (client->sleeps)
        sleep_if_told(message);
    client_send(client, message);
    if (client->queue_count >= QUEUE_SOFT && !client->paused) {
        client->paused = true;
        lws_rx_flow_control(client->wsi, 0);
    }
}

static int client_receive(struct client *client, const void *bytes, size_t size) {
    if (!input_append(client, bytes, size))
        return -1;
    if (!lws_is_final_fragment(client->wsi))
        return 0;
    struct message *message =
        input_take(client, lws_frame_is_binary(client->wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    if (client->room)
        room_send(client->room, message);
    else
        client_reply(client, message);
    message_release(message);
    return 0;
}

/* --- Clients ---------------------------------------------------------------------------------------------- */

static struct room *room_find(const char *path) {
    for (struct room *room = rooms; room; room = room->next)
        if (strcmp(room->path, path) == 0)
            return room;
    return NULL;
}

static struct room *room_of(const char *path) {
    struct room *room = room_find(path);
    if (room)
        return room;
    room = reallocate(NULL, sizeof *room);
    *room = (struct room){.path = strdup(path), .next = rooms};
    return rooms = room;
}

static void ping_due(lws_sorted_usec_list_t *timer) {
    lws_usec_t now = lws_now_usecs();
    lws_dll2_t *first;
    while ((first = lws_dll2_get_head(&pinged_clients)) != NULL) {
        struct client *client = lws_container_of(first, struct client, pinged);
        if (client->next_ping > now)
            break;
        client->ping_is_due = true;
        client->next_ping = now + PING_SECONDS * LWS_USEC_PER_SEC;
        lws_dll2_remove(first);
        lws_dll2_add_tail(first, &pinged_clients);
        lws_callback_on_writable(client->wsi);
    }
    lws_sul_schedule(context, 0, timer, ping_due, LWS_USEC_PER_SEC);
}

/* With context takeover the second empty message in a row would be one more assertion of libwebsockets 4.1. */
static bool may_compress(struct lws *wsi) {
    char path[256] = "", offer[256] = "";
    lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    lws_hdr_copy(wsi, offer, sizeof offer, WSI_TOKEN_EXTENSIONS);
    return strcmp(path, "/deflate") == 0 && strstr(offer, "server_no_context_takeover");
}

static void client_open(struct client *client, struct lws *wsi) {
    char path[256] = "";
    lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    *client = (struct client){.wsi = wsi};
    client->sleeps = strcmp(path, "/sleep") == 0;
    client->compresses = strcmp(path, "/deflate") == 0;
    if (client->compresses) {
        lws_set_extension_option(wsi, "permessage-deflate", "rx_buf_size", DEFLATE_BUFFER_BITS);
        lws_set_extension_option(wsi, "permessage-deflate", "tx_buf_size", DEFLATE_BUFFER_BITS);
        lws_set_extension_option(wsi, "permessage-deflate", "compression_level", "1");
    }
    if (strcmp(path, "/broadcast") == 0 || strncmp(path, "/room/", 6) == 0) {
        client->room = room_of(path);
        lws_dll2_add_tail(&client->member, &client->room->members);
    }
    if (strcmp(path, "/pings") == 0) {
        client->next_ping = lws_now_usecs() + PING_SECONDS * LWS_USEC_PER_SEC;
        lws_dll2_add_tail(&client->pinged, &pinged_clients);
    }
}

static void client_close(struct client *client) {
    lws_dll2_remove(&client->member);
    lws_dll2_remove(&client->pinged);
    while (client->queue_count > 0)
        message_release(queue_take(client));
    free(client->queue);
    free(client->input);
}

/* --- POST /publish/NAME ----------------------------------------------------------------------------------- */

static int publish_begin(struct client *request, struct lws *wsi, const char *path) {
    char room[256];
    if (strncmp(path, "/publish/", 9) != 0 || lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) == 0)
        return lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL) || lws_http_transaction_completed(wsi);
    snprintf(room, sizeof room, "/room/%s", path + 9);
    *request = (struct client){.wsi = wsi, .room = room_of(room)};
    return 0;
}

static int publish_end(struct client *request) {
    if (!request->input && !input_append(request, NULL, 0))
        return -1;
    struct message *message = input_take(request, LWS_WRITE_TEXT);
    room_send(request->room, message);
    message_release(message);
    return lws_return_http_status(request->wsi, HTTP_STATUS_OK, NULL) ||
           lws_http_transaction_completed(request->wsi);
}

/* --- The server ------------------------------------------------------------------------------------------- */

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
    struct client *client = user;
    switch (reason) {
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        return !may_compress(wsi);
    case LWS_CALLBACK_ESTABLISHED:
        client_open(client, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return client_receive(client, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return client_write(client);
    case LWS_CALLBACK_CLOSED:
        client_close(client);
        return 0;
    case LWS_CALLBACK_HTTP:
        return publish_begin(client, wsi, in);
    case LWS_CALLBACK_HTTP_BODY:
        return input_append(client, in, size) ? 0 : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return publish_end(client);
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, size);
    }
}

static void leave(int number) {
    (void)number;
    stopping = 1;
    lws_cancel_service(context);
}

static struct lws_context *start(int port) {
    static const struct lws_protocols protocols[] = {
        {"bench", on_event, sizeof(struct client), RECEIVE_SIZE, 0, NULL, MESSAGE_MAX}, {0}};
    static const struct lws_extension extensions[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"}, {0}};
    struct lws_context_creation_info info = {0};
    info.port = port;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.extensions = extensions;
    info.pt_serv_buf_size = RECEIVE_SIZE;
    return lws_create_context(&info);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("libwebsockets %s\n", lws_get_library_version()) < 0;
    int port = argc == 2 ? atoi(argv[1]) : 0;
    if (port < 1 || port > 65535) {
        fprintf(stderr, "usage: libwebsockets PORT\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    lws_set_log_level(LLL_ERR, NULL);
    context = start(port);
    if (!context)
        return 1;
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    lws_sul_schedule(context, 0, &ping_timer, ping_due, LWS_USEC_PER_SEC);
    puts("listening");
    fflush(stdout);
    while (!stopping && lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
