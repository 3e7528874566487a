/* stream.c - a plug-in for test_slow.py: sends as many pieces as a message asks for, no more ahead of the client
 * than send_buffer_soft, and goes on in `drained`.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

enum { PIECE_SIZE = 65536, AHEAD = 1 << 20 };

struct stream {
    uint32_t next, end;
};

static void go_on(weir_conn *conn) {
    static const char zeros[PIECE_SIZE];
    struct stream *stream = weir_conn_data(conn);
    char *piece = malloc(PIECE_SIZE);
    memcpy(piece, zeros, PIECE_SIZE);
    for (; stream->next < stream->end && weir_conn_buffered(conn) <= AHEAD; stream->next++) {
        memcpy(piece, &stream->next, sizeof stream->next);
        if (weir_conn_send(conn, WEIR_BINARY, piece, PIECE_SIZE) != WEIR_OK)
            break;
    }
    free(piece);
}

static void open_stream(weir_conn *conn, void *context) {
    (void)context;
    weir_conn_set_data(conn, calloc(1, sizeof(struct stream)));
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)opcode, (void)size, (void)context;
    struct stream *stream = weir_conn_data(conn);
    stream->end = (uint32_t)strtoul(data, NULL, 10); /* the client terminates it */
    go_on(conn);
}

static void drained(weir_conn *conn, void *context) {
    (void)context;
    go_on(conn);
}

static void close_stream(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)code, (void)reason, (void)context;
    free(weir_conn_data(conn));
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .open = open_stream, .message = message,
                                            .drained = drained, .close = close_stream};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "stream", .handler = &handler};
