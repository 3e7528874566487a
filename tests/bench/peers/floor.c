/* floor.c - the floor of cost: a WebSocket echo server that does only what no server can leave out.
 *
 *     floor PORT        listens on 127.0.0.1 and prints `listening`; SIGTERM or SIGINT end it
 *
 * One thread, edge-triggered epoll, one recv and one send for all the frames that lie ready on a connection.
 * Frames are unmasked in place: a reply is its request without the four bytes of mask, so it fits before it. Each
 * is echoed; on the paths /broadcast and /room/NAME it goes to every client of the same path instead, all of one
 * round in one send. What a client does not take is kept for it; an echo client is not read meanwhile.
 *
 * Nothing is checked: not masks, not UTF-8, not the rules of fragmentation. Messages may have 2 MiB.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    INPUT_SIZE = (2 << 20) + 65536, /* one message of the largest size and its header, and more */
    OUTPUT_MAX = 64 << 20,          /* a broadcast client that is further behind is dropped */
    EVENTS_MAX = 1024,
    ROOM_BUCKETS = 1 << 14,
    OPCODE_CLOSE = 0x8,
    OPCODE_PING = 0x9
};

struct buffer {
    uint8_t *bytes;
    size_t size, capacity;
};

/* The clients of one path. It stays when they have gone. */
struct room {
    char *path;
    struct room *next;       /* of the same bucket */
    struct room *next_ready; /* of those that have messages */
    struct buffer messages;  /* what was sent since the last epoll_wait */
    struct conn **receivers;
    size_t receiver_count, receiver_capacity;
};

struct conn {
    int descriptor;
    bool upgraded;
    bool closing;         /* its Close has been answered; what still comes is thrown away */
    struct room *room;    /* NULL: an echo client */
    size_t place;         /* in the room's receivers */
    uint8_t *input;       /* INPUT_SIZE bytes, allocated when a frame is split for the first time */
    size_t input_size;    /* bytes of it that wait for their rest */
    struct buffer output; /* what the client has not taken */
    size_t output_sent;   /* bytes of it that it has */
};

static uint8_t common_input[INPUT_SIZE]; /* for every connection that has no split frame */
static struct room *rooms[ROOM_BUCKETS]; /* by path */
static struct room *ready_rooms;

static void die(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *reallocate(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (!grown)
        die("memory");
    return grown;
}

static void buffer_append(struct buffer *buffer, const uint8_t *bytes, size_t size) {
    if (buffer->capacity - buffer->size < size) {
        buffer->capacity = (buffer->size + size) * 2;
        buffer->bytes = reallocate(buffer->bytes, buffer->capacity);
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

/* --- Sending: each returns false if the connection is lost ------------------------------------------------ */

static bool send_some(const struct conn *conn, const uint8_t *bytes, size_t size, size_t *sent) {
    while (*sent < size) {
        ssize_t done = send(conn->descriptor, bytes + *sent, size - *sent, MSG_NOSIGNAL);
        if (done < 0)
            return errno == EAGAIN;
        *sent += (size_t)done;
    }
    return true;
}

static bool conn_send(struct conn *conn, const uint8_t *bytes, size_t size) {
    size_t sent = 0;
    if (conn->output.size == 0 && !send_some(conn, bytes, size, &sent))
        return false;
    if (sent < size)
        buffer_append(&conn->output, bytes + sent, size - sent);
    return conn->output.size <= OUTPUT_MAX;
}

static bool conn_flush(struct conn *conn) {
    if (!send_some(conn, conn->output.bytes, conn->output.size, &conn->output_sent))
        return false;
    if (conn->output_sent == conn->output.size) {
        free(conn->output.bytes);
        conn->output = (struct buffer){0};
        conn->output_sent = 0;
    }
    return true;
}

/* --- Rooms ---------------------------------------------------------------------------------------------- */

/* The room of this path, new if there is none yet. */
static struct room *room_of(const char *path, size_t size) {
    uint32_t hash = 2166136261; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)path[i]) * 16777619;
    struct room **bucket = &rooms[hash % ROOM_BUCKETS];
    for (struct room *room = *bucket; room; room = room->next)
        if (strncmp(room->path, path, size) == 0 && room->path[size] == '\0')
            return room;
    struct room *room = reallocate(NULL, sizeof *room);
    *room = (struct room){.path = strndup(path, size), .next = *bucket};
    if (!room->path)
        die("memory");
    return *bucket = room;
}

static void room_add(struct room *room, struct conn *conn) {
    if (room->receiver_count == room->receiver_capacity) {
        room->receiver_capacity = room->receiver_capacity ? room->receiver_capacity * 2 : 4;
        room->receivers = reallocate(room->receivers, room->receiver_capacity * sizeof(struct conn *));
    }
    conn->room = room;
    conn->place = room->receiver_count;
    room->receivers[room->receiver_count++] = conn;
}

static void room_remove(const struct conn *conn) {
    struct room *room = conn->room;
    room->receivers[conn->place] = room->receivers[--room->receiver_count];
    room->receivers[conn->place]->place = conn->place;
}

static void room_send(struct room *room, const uint8_t *bytes, size_t size) {
    if (room->messages.size == 0) {
        room->next_ready = ready_rooms;
        ready_rooms = room;
    }
    buffer_append(&room->messages, bytes, size);
}

static void room_deliver(struct room *room) {
    for (size_t i = room->receiver_count; i-- > 0;) {
        struct conn *conn = room->receivers[i];
        if (!conn->closing && !conn_send(conn, room->messages.bytes, room->messages.size))
            shutdown(conn->descriptor, SHUT_RDWR); /* epoll then tells of it */
    }
    room->messages.size = 0;
}

static void round_deliver(void) {
    for (; ready_rooms; ready_rooms = ready_rooms->next_ready)
        room_deliver(ready_rooms);
}

/* --- The opening handshake ------------------------------------------------------------------------------ */

static bool is_room(const char *path, size_t size) {
    static const char broadcast[] = "/broadcast", room[] = "/room/";
    return (size == sizeof broadcast - 1 && memcmp(path, broadcast, size) == 0) ||
           (size >= sizeof room && memcmp(path, room, sizeof room - 1) == 0);
}

static bool answer(struct conn *conn, const char *key, size_t key_size) {
    char text[128], response[256];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    int length = snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)key_size, key);
    SHA1((const unsigned char *)text, (size_t)length, digest);
    EVP_EncodeBlock(accept, digest, SHA_DIGEST_LENGTH);
    length = snprintf(response, sizeof response,
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: %s\r\n\r\n",
                      (char *)accept);
    return conn_send(conn, (const uint8_t *)response, (size_t)length);
}

/* Returns the size of the request; 0 if it is not complete; -1 if it is none for a WebSocket. */
static ssize_t conn_upgrade(struct conn *conn, char *bytes, size_t size) {
    static const char key_name[] = "\r\nSec-WebSocket-Key:", method[] = "GET ";
    char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    end[2] = '\0';
    const char *key = strcasestr(bytes, key_name);
    if (!key)
        return -1;
    key += sizeof key_name - 1;
    key += strspn(key, " \t");
    size_t key_size = strcspn(key, " \t\r");
    if (key_size > 64 || !answer(conn, key, key_size))
        return -1;
    conn->upgraded = true;
    const char *path = bytes + sizeof method - 1;
    size_t path_size = strcspn(path, " \r");
    if (is_room(path, path_size))
        room_add(room_of(path, path_size), conn);
    return end + 4 - bytes;
}

/* --- Frames --------------------------------------------------------------------------------------------- */

/* `to` may lie before `from` in the same buffer. */
static void unmask(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *key) {
    uint32_t narrow;
    memcpy(&narrow, key, sizeof narrow);
    uint64_t wide = (uint64_t)narrow << 32 | narrow, word;
    size_t at = 0;
    for (; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, from + at, sizeof word);
        word ^= wide;
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < size; at++, narrow = narrow >> 8 | narrow << 24)
        to[at] = from[at] ^ (uint8_t)narrow;
}

/* Writes the reply to the frame at `frame` to `reply`. Returns the size of the frame, which is 4 more than that of
 * the reply; 0 if it is not complete. */
static size_t frame_reply(uint8_t *reply, const uint8_t *frame, size_t available) {
    size_t header = 2;
    if (available < 2)
        return 0;
    uint64_t payload = frame[1] & 0x7f;
    if (payload >= 126) {
        header = payload == 126 ? 4 : 10;
        if (available < header)
            return 0;
        payload = 0;
        for (size_t i = 2; i < header; i++)
            payload = payload << 8 | frame[i];
    }
    size_t payload_at = header + 4;
    if (available < payload_at || available - payload_at < payload)
        return 0;
    uint8_t key[4];
    memcpy(key, frame + header, sizeof key);
    memmove(reply, frame, header);
    reply[0] = (reply[0] & 0x0f) == OPCODE_PING ? reply[0] + 1 : reply[0];
    reply[1] &= 0x7f;
    unmask(reply + header, frame + payload_at, (size_t)payload, key);
    return payload_at + (size_t)payload;
}

/* Answers every complete frame. Returns the bytes consumed, or -1 if the connection is lost. */
static ssize_t conn_frames(struct conn *conn, uint8_t *bytes, size_t size) {
    size_t consumed = 0, replied = 0, frame;
    while (!conn->closing && (frame = frame_reply(bytes + replied, bytes + consumed, size - consumed)) > 0) {
        bool control = bytes[replied] & 0x8;
        conn->closing = (bytes[replied] & 0xf) == OPCODE_CLOSE;
        consumed += frame;
        if (!control || !conn->room)
            replied += frame - 4;
        else if (!conn_send(conn, bytes + replied, frame - 4))
            return -1;
    }
    if (replied > 0 && conn->room)
        room_send(conn->room, bytes, replied);
    else if (replied > 0 && !conn_send(conn, bytes, replied))
        return -1;
    return conn->closing ? (ssize_t)size : (ssize_t)consumed;
}

/* --- Connections ------------------------------------------------------------------------------------------ */

static bool conn_consume(struct conn *conn, uint8_t *bytes, size_t size) {
    ssize_t head = 0;
    if (conn->closing)
        return true;
    if (!conn->upgraded) {
        head = conn_upgrade(conn, (char *)bytes, size);
        if (head < 0)
            return false;
    }
    ssize_t used = conn->upgraded ? conn_frames(conn, bytes + head, size - (size_t)head) : 0;
    if (used < 0)
        return false;
    conn->input_size = size - (size_t)head - (size_t)used;
    if (conn->input_size > 0) {
        if (!conn->input)
            conn->input = reallocate(NULL, INPUT_SIZE);
        memmove(conn->input, bytes + head + used, conn->input_size);
    }
    return true;
}

/* Reads until the socket is empty, or until replies wait for the client. Returns false at the end of the
 * connection, which a message too large brings too: there is no room left to read into. */
static bool conn_read(struct conn *conn, bool to_the_end) {
    while (conn->output.size == 0 || conn->room) {
        uint8_t *bytes = conn->input_size > 0 ? conn->input : common_input;
        size_t room = INPUT_SIZE - conn->input_size;
        ssize_t got = recv(conn->descriptor, bytes + conn->input_size, room, 0);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        if (!conn_consume(conn, bytes, conn->input_size + (size_t)got))
            return false;
        if ((size_t)got < room && !to_the_end)
            break;
    }
    return true;
}

static bool conn_event(struct conn *conn, uint32_t events) {
    bool was_blocked = conn->output.size > 0;
    if (was_blocked && !conn_flush(conn))
        return false;
    bool to_the_end = was_blocked || events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (!conn_read(conn, to_the_end))
        return false;
    if (conn->closing && conn->output.size == 0)
        shutdown(conn->descriptor, SHUT_WR);
    return true;
}

static void conn_close(struct conn *conn) {
    if (conn->room)
        room_remove(conn);
    close(conn->descriptor);
    free(conn->input);
    free(conn->output.bytes);
    free(conn);
}

static void accept_all(int epoll, int listener) {
    int descriptor, on = 1;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *conn = reallocate(NULL, sizeof *conn);
        *conn = (struct conn){.descriptor = descriptor};
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = conn};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event))
            die("epoll_ctl");
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        die("accept");
}

/* --- The program ------------------------------------------------------------------------------------------ */

static int listen_on(unsigned long port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        die("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address))
        die("bind");
    if (listen(listener, SOMAXCONN))
        die("listen");
    return listener;
}

static void leave(int number) {
    (void)number;
    _exit(0);
}

static _Noreturn void serve(int listener) {
    static struct epoll_event events[EVENTS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event accepting = {.events = EPOLLIN};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting))
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr;
            if (!conn)
                accept_all(epoll, listener);
            else if (!conn_event(conn, events[i].events))
                conn_close(conn);
        }
        round_deliver();
    }
}

int main(int argc, char **argv) {
    char *rest = "";
    unsigned long port = argc == 2 ? strtoul(argv[1], &rest, 10) : 0;
    if (port < 1 || port > 65535 || *rest != '\0') {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGTERM, leave);
    signal(SIGINT, leave);
    int listener = listen_on(port);
    puts("listening");
    fflush(stdout);
    serve(listener);
}
