/* upgrade_calls.c - what an `upgrade` callback may ask and set (include/weir/handler.h). On the callback's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weir/handler.h>

#include "base/utf8.h"
#include "server/http/upgrade.h"

enum { USER_MAX = 255, SUBPROTOCOL_MAX = 1023 };

/* --- The request ------------------------------------------------------------------------------------------- */

const char *weir_upgrade_method(const weir_upgrade *upgrade) {
    return upgrade->request->method;
}

const char *weir_upgrade_path(const weir_upgrade *upgrade) {
    return upgrade->path;
}

const char *weir_upgrade_query(const weir_upgrade *upgrade) {
    return upgrade->request->query;
}

const char *weir_upgrade_param(const weir_upgrade *upgrade, const char *name) {
    const struct router_match *match = upgrade->match;
    for (size_t i = 0; i < match->param_count; i++)
        if (strcmp(match->params[i].name, name) == 0)
            return match->params[i].value;
    return NULL;
}

const char *weir_upgrade_header(const weir_upgrade *upgrade, const char *name) {
    return http_request_header(upgrade->request, name);
}

const char *weir_upgrade_subprotocol(const weir_upgrade *upgrade) {
    return upgrade->subprotocol;
}

const char *weir_upgrade_peer(const weir_upgrade *upgrade) {
    return upgrade->peer;
}

/* --- Texts made for the callback --------------------------------------------------------------------------- */

struct upgrade_text {
    struct upgrade_text *next;
    char text[];
};

/* Returns room for a text of `size` bytes and its terminator, which is freed after the callback; NULL if memory is
 * out. */
static char *upgrade_calls_upgrade_room(weir_upgrade *upgrade, size_t size) {
    struct upgrade_text *text = malloc(sizeof *text + size + 1);
    if (text == NULL)
        return NULL;
    text->next = upgrade->texts;
    upgrade->texts = text;
    text->text[0] = '\0';
    return text->text;
}

static const char *upgrade_calls_upgrade_keep(weir_upgrade *upgrade, const char *bytes, size_t size) {
    char *text = upgrade_calls_upgrade_room(upgrade, size);
    if (text != NULL) {
        memcpy(text, bytes, size);
        text[size] = '\0';
    }
    return text;
}

void upgrade_release(weir_upgrade *upgrade) {
    for (struct upgrade_text *text; (text = upgrade->texts) != NULL; free(text))
        upgrade->texts = text->next;
    if (upgrade->discard != NULL)
        upgrade->discard(upgrade->data);
    free(upgrade->user);
    free(upgrade->headers);
}

/* --- Query ------------------------------------------------------------------------------------------------- */

static int upgrade_calls_hex_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    const int lower = digit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes application/x-www-form-urlencoded (WHATWG URL, 5.1); what is no escape stays as it is. Returns the size,
 * or -1 if the text has a zero byte. */
static long upgrade_calls_decode_form(const char *from, size_t size, char *to) {
    char *end = to;
    for (size_t i = 0; i < size; i++) {
        bool escape = from[i] == '%' && size - i > 2;
        int high = escape ? upgrade_calls_hex_value(from[i + 1]) : -1;
        int low = escape ? upgrade_calls_hex_value(from[i + 2]) : -1;
        char byte = (char)(from[i] == '+' ? ' ' : from[i]);
        if (high >= 0 && low >= 0) {
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (byte == '\0')
            return -1;
        *end++ = byte;
    }
    *end = '\0';
    return end - to;
}

const char *weir_upgrade_query_param(weir_upgrade *upgrade, const char *name) {
    const char *query = upgrade->request->query;
    char *decoded = upgrade_calls_upgrade_room(upgrade, strlen(query));
    for (const char *item = query; decoded != NULL && *item != '\0';) {
        size_t size = strcspn(item, "&"), name_size = strcspn(item, "=&");
        bool is_it = upgrade_calls_decode_form(item, name_size, decoded) >= 0 && strcmp(decoded, name) == 0;
        size_t value_at = name_size < size ? name_size + 1 : size;
        if (is_it)
            return upgrade_calls_decode_form(item + value_at, size - value_at, decoded) >= 0 ? decoded : NULL;
        item += item[size] == '&' ? size + 1 : size;
    }
    return NULL;
}

/* --- Cookies (RFC 6265, 4.2.1) ----------------------------------------------------------------------------- */

static const char *upgrade_calls_find_cookie(const char *cookies, const char *name, size_t *size) {
    size_t name_size = strlen(name);
    for (const char *item = cookies; *item != '\0';) {
        item += strspn(item, " \t;");
        size_t item_size = strcspn(item, ";");
        if (item_size > name_size && strncmp(item, name, name_size) == 0 && item[name_size] == '=') {
            *size = item_size - name_size - 1;
            return item + name_size + 1;
        }
        item += item_size;
    }
    return NULL;
}

const char *weir_upgrade_cookie(weir_upgrade *upgrade, const char *name) {
    const struct http_request *request = upgrade->request;
    for (size_t i = 0; *name != '\0' && i < request->header_count; i++) {
        size_t size;
        if (strcasecmp(request->headers[i].name, "Cookie") != 0)
            continue;
        const char *value = upgrade_calls_find_cookie(request->headers[i].value, name, &size);
        if (value == NULL)
            continue;
        while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
            size--;
        bool quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';
        return upgrade_calls_upgrade_keep(upgrade, value + quoted, quoted ? size - 2 : size);
    }
    return NULL;
}

/* --- Subprotocols ------------------------------------------------------------------------------------------ */

const char *weir_upgrade_offered(weir_upgrade *upgrade, size_t index) {
    struct http_lists lists;
    lists.used = 0;
    const char *list = http_request_list(upgrade->request, "Sec-WebSocket-Protocol", &lists);
    for (const char *item = list == NULL ? "" : list; *item != '\0';) {
        item += strspn(item, " \t,");
        size_t size = strcspn(item, " \t,"), rest = size + strspn(item + size, " \t");
        bool is_token = size > 0 && http_is_token(item, size) && (item[rest] == ',' || item[rest] == '\0');
        if (is_token && index-- == 0)
            return upgrade_calls_upgrade_keep(upgrade, item, size);
        item += strcspn(item, ",");
    }
    return NULL;
}

enum weir_status weir_upgrade_select(weir_upgrade *upgrade, const char *subprotocol) {
    const char *offered = "";
    if (subprotocol == NULL) {
        upgrade->subprotocol = NULL;
        return WEIR_OK;
    }
    for (size_t i = 0; offered != NULL && strcmp(offered, subprotocol) != 0; i++)
        offered = weir_upgrade_offered(upgrade, i);
    if (offered == NULL || *offered == '\0' || strlen(offered) > SUBPROTOCOL_MAX)
        return WEIR_INVALID;
    upgrade->subprotocol = offered;
    return WEIR_OK;
}

/* --- What the callback sets -------------------------------------------------------------------------------- */

/* Checks a user name, because other clients get it in JSON, and it is logged. */
static bool upgrade_calls_is_user_name(const char *name) {
    size_t size = strnlen(name, USER_MAX + 1);
    if (size == 0 || size > USER_MAX || !utf8_valid((const uint8_t *)name, size))
        return false;
    for (; *name != '\0'; name += utf8_character(name))
        if (utf8_is_control(name))
            return false;
    return true;
}

enum weir_status weir_upgrade_set_user(weir_upgrade *upgrade, const char *name) {
    if (name == NULL || !upgrade_calls_is_user_name(name))
        return WEIR_INVALID;
    char *user = strdup(name);
    if (user == NULL)
        return WEIR_NO_MEMORY;
    free(upgrade->user);
    upgrade->user = user;
    return WEIR_OK;
}

void weir_upgrade_set_data(weir_upgrade *upgrade, void *data, void (*discard)(void *data)) {
    if (upgrade->discard != NULL)
        upgrade->discard(upgrade->data);
    upgrade->data = data;
    upgrade->discard = discard;
}

/* Fields that the handshake or the connection itself needs. */
static bool upgrade_calls_is_reserved(const char *name) {
    static const char *const names[] = {"Connection", "Content-Length", "Content-Type",      "Date",   "Keep-Alive",
                                        "TE",         "Trailer",        "Transfer-Encoding", "Upgrade"};
    static const char prefix[] = "Sec-WebSocket-";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return strncasecmp(name, prefix, sizeof prefix - 1) == 0;
}

/* A field value (RFC 9110, 5.5): no control character but tabs, so nothing that would end the line. */
static bool upgrade_calls_is_field_value(const char *value) {
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++)
        if ((*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    return true;
}

enum weir_status weir_upgrade_add_header(weir_upgrade *upgrade, const char *name, const char *value) {
    if (!http_is_token(name, strlen(name)) || !upgrade_calls_is_field_value(value) ||
        upgrade_calls_is_reserved(name))
        return WEIR_INVALID;
    size_t used = upgrade->headers == NULL ? 0 : strlen(upgrade->headers);
    size_t size = used + strlen(name) + strlen(value) + sizeof ": \r\n";
    if (size > UPGRADE_HEADERS_MAX)
        return WEIR_LIMIT;
    char *headers = realloc(upgrade->headers, size);
    if (headers == NULL)
        return WEIR_NO_MEMORY;
    snprintf(headers + used, size - used, "%s: %s\r\n", name, value);
    upgrade->headers = headers;
    return WEIR_OK;
}

int weir_upgrade_refuse(weir_upgrade *upgrade, int status, const char *body) {
    bool sensible = status >= 400 && status <= 599;
    http_respond(upgrade->response, sensible ? status : 500, "%s", body == NULL ? "" : body);
    return WEIR_REFUSE;
}
