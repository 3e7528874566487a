/* session.c - turns lines into messages and commands, sends pings, and reports the end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/session.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "commands/connect/closing.h"
#include "commands/connect/text.h"

static const uint64_t ns_per_ms = 1000000;

uint64_t session_now(void) {
    return clock_ns();
}

void session_begin(struct session *session, weir_client *client, const struct options *options) {
    *session = (struct session){.client = client, .options = options, .close_code = 1000, .next_ping = UINT64_MAX};
    pings_init(&session->pings);
    if (options->ping_ms > 0)
        session->next_ping = session_now() + options->ping_ms * ns_per_ms;
}

void session_end(struct session *session) {
    pings_destroy(&session->pings);
}

/* --- Sending ------------------------------------------------------------------------------------------------ */

static enum session_input refuse(struct session *session, const char *why) {
    snprintf(session->slash.wrong, sizeof session->slash.wrong, "%s", why);
    return SESSION_REFUSED;
}

static enum session_input send_message(struct session *session, enum weir_opcode opcode, const char *data,
                                       size_t size) {
    switch (weir_client_send(session->client, opcode, data, size)) {
    case WEIR_OK:
        return SESSION_SENT;
    case WEIR_INVALID:
        return refuse(session, "not UTF-8 text; with --binary bytes are written in hexadecimal digits");
    default:
        return SESSION_OVER;
    }
}

static enum session_input send_plain(struct session *session, char *text, size_t size) {
    if (!session->options->binary)
        return send_message(session, WEIR_TEXT, text, size);
    size_t bytes;
    if (!text_read_hex(text, size, &bytes))
        return refuse(session, "not hexadecimal digits in pairs, as --binary wants them: 00ff");
    return send_message(session, WEIR_BINARY, text, bytes);
}

static enum session_input send_ping(struct session *session, const char *payload, size_t size) {
    pings_sent(&session->pings, payload, size, session_now());
    return weir_client_ping(session->client, payload, size) == WEIR_OK ? SESSION_SENT : SESSION_OVER;
}

enum session_input session_take(struct session *session, char *line, size_t size, bool slash) {
    struct slash *parsed = &session->slash;
    if (!slash)
        return send_plain(session, line, size);
    slash_parse(line, size, parsed);
    switch (parsed->kind) {
    case SLASH_MESSAGE:
        return send_plain(session, line + (parsed->data - line), parsed->size);
    case SLASH_BINARY:
        return send_message(session, WEIR_BINARY, parsed->data, parsed->size);
    case SLASH_PING:
        return send_ping(session, parsed->data, parsed->size);
    case SLASH_CLOSE:
        session->close_code = parsed->code;
        snprintf(session->close_reason, sizeof session->close_reason, "%s", parsed->data);
        return SESSION_CLOSE;
    case SLASH_HELP:
        return SESSION_HELP;
    default: /* SLASH_WRONG */
        return SESSION_REFUSED;
    }
}

int session_ping(struct session *session) {
    if (session->next_ping == UINT64_MAX)
        return -1;
    uint64_t now = session_now();
    if (now >= session->next_ping) {
        char payload[16];
        int size = snprintf(payload, sizeof payload, "%u", ++session->ping_count);
        send_ping(session, payload, (size_t)size); /* the receiver notices a failure */
        session->next_ping = now + session->options->ping_ms * ns_per_ms;
    }
    uint64_t wait_ms = (session->next_ping - now) / ns_per_ms + 1;
    return wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX;
}

void session_begin_close(struct session *session) {
    weir_client_close(session->client, session->close_code, session->close_reason);
}

/* --- Receiving ---------------------------------------------------------------------------------------------- */

void session_print_pong(struct session *session, FILE *out, const void *payload, size_t size) {
    uint64_t took;
    if (!pings_answered(&session->pings, payload, size, session_now(), &took))
        return;
    fputs(size > 0 ? "pong " : "pong", out);
    text_show(out, payload, size);
    fprintf(out, ": %.3f ms\n", (double)took / (double)ns_per_ms);
}

bool session_is_clean(const struct session *session) {
    unsigned code = weir_client_close_code(session->client);
    struct weir_client_error error;
    weir_client_failure(session->client, &error);
    return error.cause == WEIR_CLIENT_NO_ERROR && (closing_is_clean(code) || code == session->close_code);
}

void session_print_end(const struct session *session, FILE *out) {
    struct weir_client_error error;
    weir_client_failure(session->client, &error);
    fputs("Connection closed: ", out);
    closing_print(out, weir_client_close_code(session->client), weir_client_close_reason(session->client));
    if (error.cause != WEIR_CLIENT_NO_ERROR) {
        fputs(": ", out);
        text_show(out, error.text, strlen(error.text));
    }
    putc('\n', out);
}
