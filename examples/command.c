/* command.c - a small binary protocol that begins with a login, with state for each connection.
 *
 *     cc -std=gnu17 -shared -fPIC -Iinclude -o command.so examples/command.c -ljansson
 *
 *     [route /command]
 *     handler = plugin:../build/examples/command.so
 *
 * First the client logs in with a JSON text, {"role":"admin","user_id":"test1234"}. A valid login is not answered.
 * Then the client sends binary commands. Each is a little-endian int32 id and a payload:
 *
 *     2  set service  a JSON array of names, which replaces the previous one
 *     0  free         one signed byte: the index of a service to drop, or negative to drop all
 *
 * The server answers each command, and an invalid login, with a binary message. It begins with a little-endian
 * int32 status: the command's id, or a negative number for an error. JSON follows: the services after a 2, nothing
 * after a 0, {"error": why} after an error. A command before the login closes the connection with 1008, and JSON
 * that is not UTF-8 closes it with 1007.
 *
 * SPDX-License-Identifier: MIT
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include <weir/weir.h>

enum { COMMAND_FREE = 0, COMMAND_SET_SERVICE = 2 };
enum { STATUS_BAD_JSON = -1, STATUS_BAD_SIZE = -2, STATUS_UNKNOWN_COMMAND = -3 };
enum { ID_SIZE = 4 };

/* Needs no lock: the callbacks of one connection never overlap. */
struct session {
    bool logged_in;
    json_t *services; /* an array of strings */
};

/* --- Answers ----------------------------------------------------------------------------------------------- */

/* Writes byte by byte, so that the result is little-endian on any machine and needs no alignment. */
static void put_int32(unsigned char bytes[ID_SIZE], int32_t value) {
    for (int i = 0; i < ID_SIZE; i++)
        bytes[i] = (unsigned char)((uint32_t)value >> (8 * i));
}

static int32_t get_int32(const unsigned char bytes[ID_SIZE]) {
    uint32_t value = 0;
    for (int i = 0; i < ID_SIZE; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return (int32_t)value;
}

/* Sends the status, followed by the JSON of `body` unless that is NULL. */
static void answer(weir_conn *conn, int32_t status, const json_t *body) {
    size_t json_size = body ? json_dumpb(body, NULL, 0, JSON_COMPACT) : 0;
    unsigned char *reply = malloc(ID_SIZE + json_size);
    if (reply == NULL) {
        weir_conn_close(conn, 1011, "out of memory");
        return;
    }
    put_int32(reply, status);
    if (json_size > 0)
        json_dumpb(body, (char *)reply + ID_SIZE, json_size, JSON_COMPACT);
    weir_conn_send(conn, WEIR_BINARY, reply, ID_SIZE + json_size);
    free(reply);
}

static void answer_error(weir_conn *conn, int32_t status, const char *why) {
    json_t *body = json_pack("{s:s}", "error", why);
    answer(conn, status, body);
    json_decref(body);
}

/* Returns the client's JSON, which the caller releases with json_decref(), or NULL after telling the client what
 * is wrong. */
static json_t *parse_json(weir_conn *conn, const void *data, size_t size) {
    json_error_t error;
    /* jansson refuses NULL even if size is 0, and `data` of an empty message may be NULL. */
    json_t *json = json_loadb(size > 0 ? data : "", size, 0, &error);
    if (json == NULL && json_error_code(&error) == json_error_invalid_utf8)
        weir_conn_close(conn, 1007, "JSON must be UTF-8");
    else if (json == NULL)
        answer_error(conn, STATUS_BAD_JSON, error.text);
    return json;
}

/* --- Commands ---------------------------------------------------------------------------------------------- */

static void log_in(weir_conn *conn, struct session *session, const void *data, size_t size) {
    json_t *login = parse_json(conn, data, size);
    if (login == NULL)
        return;
    /* A real server would check the user here. That may take time: handlers may block. */
    if (json_is_string(json_object_get(login, "role")) && json_is_string(json_object_get(login, "user_id")))
        session->logged_in = true;
    else
        answer_error(conn, STATUS_BAD_JSON, "a login is {\"role\": \"...\", \"user_id\": \"...\"}");
    json_decref(login);
}

static bool is_array_of_names(const json_t *json) {
    if (!json_is_array(json))
        return false;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!json_is_string(json_array_get(json, i)))
            return false;
    return true;
}

static void set_service(weir_conn *conn, struct session *session, const void *payload, size_t size) {
    json_t *services = parse_json(conn, payload, size);
    if (services == NULL)
        return;
    if (!is_array_of_names(services)) {
        answer_error(conn, STATUS_BAD_JSON, "the payload is a JSON array of names");
        json_decref(services);
        return;
    }
    json_decref(session->services);
    session->services = services;
    answer(conn, COMMAND_SET_SERVICE, services);
}

static void free_service(weir_conn *conn, struct session *session, const void *payload, size_t size) {
    if (size != 1) {
        answer_error(conn, STATUS_BAD_SIZE, "the payload is one signed byte");
        return;
    }
    int8_t index = *(const int8_t *)payload;
    if (index < 0)
        json_array_clear(session->services);
    else
        json_array_remove(session->services, (size_t)index); /* does nothing if there is no such index */
    answer(conn, COMMAND_FREE, NULL);
}

static void run_command(weir_conn *conn, struct session *session, const unsigned char *data, size_t size) {
    if (size < ID_SIZE) {
        answer_error(conn, STATUS_BAD_SIZE, "a command begins with its id, a little-endian int32");
        return;
    }
    switch (get_int32(data)) {
    case COMMAND_FREE:
        free_service(conn, session, data + ID_SIZE, size - ID_SIZE);
        break;
    case COMMAND_SET_SERVICE:
        set_service(conn, session, data + ID_SIZE, size - ID_SIZE);
        break;
    default:
        answer_error(conn, STATUS_UNKNOWN_COMMAND, "unknown command; 0 is free, 2 is set service");
    }
}

/* --- Callbacks --------------------------------------------------------------------------------------------- */

static void command_open(weir_conn *conn, void *context) {
    (void)context;
    struct session *session = calloc(1, sizeof *session);
    json_t *services = json_array();
    if (session == NULL || services == NULL) {
        free(session);
        json_decref(services);
        weir_conn_close(conn, 1011, "out of memory"); /* from now on only close() is called */
        return;
    }
    session->services = services;
    weir_conn_set_data(conn, session);
}

static void command_message(weir_conn *conn, enum weir_opcode opcode, const void *data, size_t size,
                            void *context) {
    (void)context;
    struct session *session = weir_conn_data(conn);
    if (opcode == WEIR_TEXT)
        log_in(conn, session, data, size);
    else if (session->logged_in)
        run_command(conn, session, data, size);
    else
        weir_conn_close(conn, 1008, "log in first");
}

/* Called exactly once, however the connection ended, so this is the place to free its state. The server has
 * already logged the client's reason, such as "user quit". */
static void command_close(weir_conn *conn, unsigned code, const char *reason, void *context) {
    (void)code, (void)reason, (void)context;
    struct session *session = weir_conn_data(conn);
    if (session == NULL)
        return;
    json_decref(session->services);
    free(session);
}

static const struct weir_handler handler = {
    WEIR_HANDLER_INIT,
    .open = command_open,
    .message = command_message,
    .close = command_close,
};

const struct weir_plugin weir_plugin = {.abi = WEIR_PLUGIN_ABI, .name = "command", .handler = &handler};
