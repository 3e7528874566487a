/* says_any_bytes.c - a plug-in for test_text.py: hands whatever bytes a client sends to a function of the API as
 * text, and answers with the function's result. The first byte of a binary message says which function.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

static const char channel[] = "room:all";

static int upgrade(weir_upgrade *upgrade, void *context) {
    (void)context;
    const char *body = weir_upgrade_header(upgrade, "Refuse-With"), *user = weir_upgrade_header(upgrade, "User");
    char text[64];
    if (body != NULL)
        return weir_upgrade_refuse(upgrade, 403, body);
    int result = user == NULL ? WEIR_OK : weir_upgrade_set_user(upgrade, user);
    snprintf(text, sizeof text, "%d", result);
    return result == WEIR_OK ? 0 : weir_upgrade_refuse(upgrade, 400, text);
}

static void note_receivers(const struct weir_publish_result *result, void *context) {
    *(long *)context = (long)result->receivers;
}

static long call(weir_conn *conn, char function, const char *text, size_t size) {
    weir_server *server = weir_conn_server(conn);
    enum weir_status status = WEIR_OK;
    long receivers = 0;
    switch (function) {
    case 's':
        return weir_conn_send(conn, WEIR_TEXT, text, size);
    case 'b':
        return weir_conn_broadcast(conn, WEIR_TEXT, text, size, true);
    case 'B':
        return weir_server_broadcast(server, weir_conn_path(conn), WEIR_TEXT, text, size);
    case 'p':
        status = weir_publish(server, channel, WEIR_TEXT, text, size, note_receivers, &receivers);
        return status == WEIR_OK ? receivers : status;
    case 'f':
        status = weir_conn_publish(conn, channel, WEIR_TEXT, text, size, true, note_receivers, &receivers);
        return status == WEIR_OK ? receivers : status;
    case 'j':
        status = weir_publish_json(server, channel, text, size, note_receivers, &receivers);
        return status == WEIR_OK ? receivers : status;
    case 'c':
        return weir_conn_close(conn, 4000, text);
    case 'n':
        return weir_conn_subscribe(conn, text, NULL, NULL);
    default:
        return -100;
    }
}

static void message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size, void *context) {
    (void)context;
    if (opcode == WEIR_TEXT) { /* the whole of what came as text, and a part of it */
        weir_conn_send(conn, WEIR_TEXT, data, size);
        weir_conn_send(conn, WEIR_TEXT, data, size - 1);
        return;
    }
    char *text = malloc(size), answer[32];
    if (text == NULL)
        return;
    memcpy(text, (const char *)data + 1, size - 1);
    text[size - 1] = '\0';
    int length = snprintf(answer, sizeof answer, "%ld", call(conn, *(const char *)data, text, size - 1));
    free(text);
    weir_conn_send(conn, WEIR_BINARY, answer, (size_t)length);
}

static const struct weir_handler handler = {WEIR_HANDLER_INIT, .upgrade = upgrade, .message = message};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "says_any_bytes", .handler = &handler};
