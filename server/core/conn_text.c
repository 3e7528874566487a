/* conn_text.c - the strings of a connection, which follow it in one block: what the handshake found out, and what
 * handlers ask of it. The headers have a block of their own until `open` has returned.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/core/conn_private.h"
#include "server/core/memory.h"

/* --- Filling ------------------------------------------------------------------------------------------------ */

/* How many bytes of a client's User-Agent are kept: whole characters. */
static size_t conn_text_cut(const char *user_agent) {
    size_t size = strnlen(user_agent, USER_AGENT_MAX);
    while (size > 0 && ((unsigned char)user_agent[size] & 0xC0) == 0x80)
        size--;
    return size;
}

size_t conn_text_size(const struct conn_request *request) {
    size_t size = strlen(request->path) + 1 + strlen(request->peer) + 1;
    size += request->client == NULL ? 0 : strlen(request->client) + 1;
    size += request->user == NULL ? 0 : strlen(request->user) + 1;
    size += request->subprotocol == NULL ? 0 : strlen(request->subprotocol) + 1;
    size += request->user_agent == NULL ? 0 : conn_text_cut(request->user_agent) + 1;
    for (size_t i = 0; i < request->param_count * 2; i++)
        size += strlen(request->params[i]) + 1;
    return size;
}

bool conn_text_fits(const struct conn_request *request) {
    size_t user_size = request->user == NULL ? 0 : strlen(request->user) + 1;
    return conn_text_size(request) - user_size <= (conn_text)-1;
}

static void conn_text_append(char **end, const char *text) {
    *end = stpcpy(*end, text) + 1;
}

/* Returns the string's offset, or 0 if text is NULL. */
static conn_text conn_text_add(const struct weir_conn *conn, char **end, const char *text) {
    conn_text offset = (conn_text)(*end - conn->text);
    if (text == NULL)
        return 0;
    conn_text_append(end, text);
    return offset;
}

void conn_text_fill(struct weir_conn *conn, const struct conn_request *request) {
    char *end = conn->text;
    conn_text_append(&end, request->path);
    for (size_t i = 0; i < request->param_count * 2; i++)
        conn_text_append(&end, request->params[i]);
    conn->param_count = (uint8_t)request->param_count;
    conn->peer = conn_text_add(conn, &end, request->peer);
    conn->client = conn_text_add(conn, &end, request->client);
    conn->subprotocol = conn_text_add(conn, &end, request->subprotocol);
    char user_agent[USER_AGENT_MAX + 1] = "";
    if (request->user_agent != NULL)
        memcpy(user_agent, request->user_agent, conn_text_cut(request->user_agent));
    conn->user_agent = conn_text_add(conn, &end, request->user_agent == NULL ? NULL : user_agent);
    conn->user = conn_text_add(conn, &end, request->user); /* last, because it may have any length */
}

char *conn_text_copy_headers(const struct conn_request *request) {
    size_t size = 1;
    for (size_t i = 0; i < request->header_count * 2; i++)
        size += strlen(request->headers[i]) + 1;
    char *headers = malloc(size), *end = headers;
    if (headers == NULL)
        return NULL;
    for (size_t i = 0; i < request->header_count * 2; i++)
        conn_text_append(&end, request->headers[i]);
    *end = '\0';
    return headers;
}

/* --- Memory ------------------------------------------------------------------------------------------------- */

size_t conn_text_memory(const struct weir_conn *conn) {
    size_t size = memory_of_block(conn), usual = offsetof(struct weir_conn, text) + CONN_TEXT_USUAL;
    return size > usual ? size - usual : 0;
}

void conn_drop_headers(struct weir_conn *conn) {
    small_mutex_lock(&conn->mutex);
    char *headers = conn->headers;
    conn->headers = NULL;
    small_mutex_unlock(&conn->mutex);
    memory_uncount_block(headers);
    free(headers);
}

/* --- What handlers may ask --------------------------------------------------------------------------------- */

const char *weir_conn_path(const weir_conn *conn) {
    return conn->text;
}

const char *weir_conn_param(const weir_conn *conn, const char *name) {
    const char *text = conn->text + strlen(conn->text) + 1;
    for (unsigned i = 0; i < conn->param_count; i++) {
        const char *value = text + strlen(text) + 1;
        if (strcmp(text, name) == 0)
            return value;
        text = value + strlen(value) + 1;
    }
    return NULL;
}

const char *weir_conn_header(const weir_conn *conn, const char *name) {
    const char *text = conn->headers;
    while (text != NULL && *text != '\0') {
        const char *value = text + strlen(text) + 1;
        if (strcasecmp(text, name) == 0)
            return value;
        text = value + strlen(value) + 1;
    }
    return NULL;
}

const char *weir_conn_user(const weir_conn *conn) {
    return conn_string(conn, conn->user);
}

const char *weir_conn_subprotocol(const weir_conn *conn) {
    return conn_string(conn, conn->subprotocol);
}

const char *weir_conn_peer(const weir_conn *conn) {
    return conn_string(conn, conn->peer);
}
