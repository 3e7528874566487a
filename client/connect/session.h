/* session.h - what the two ways to talk, terminal and pipe, have in common: a line typed becomes what it asks for,
 * pings are sent on time, an end is judged.
 *
 * In a pipe one thread sends and another receives: the functions under "Sending" belong to the former,
 * those under "Receiving" to the latter.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONNECT_SESSION_H
#define WEIR_CONNECT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weir/client.h>

#include "client/connect/options.h"
#include "client/connect/pings.h"
#include "client/connect/slash.h"

struct session {
    weir_client *client;
    const struct options *options;
    struct pings pings;
    uint64_t next_ping; /* ns; UINT64_MAX: never */
    unsigned ping_count;
    unsigned close_code; /* what we close with */
    char close_reason[128];
    struct slash slash; /* the last line */
};

void session_begin(struct session *session, weir_client *client, const struct options *options);
void session_end(struct session *session);

/* --- Sending ------------------------------------------------------------------------------------------------ */

enum session_input {
    SESSION_SENT,
    SESSION_HELP,    /* slash_help is wanted */
    SESSION_CLOSE,   /* the end is wanted: session_begin_close() */
    SESSION_REFUSED, /* nothing was sent: session->slash.wrong says why */
    SESSION_OVER     /* the connection takes nothing any more */
};

/* One line, without its newline but with a terminator; it is changed. With `slash` it may be a command. */
enum session_input session_take(struct session *session, char *line, size_t size, bool slash);

/* Sends the ping that --ping asks for if it is time, and returns how many ms there are until the next; -1: for
 * ever. */
int session_ping(struct session *session);

/* What the server still sends can be received. */
void session_begin_close(struct session *session);

/* --- Receiving ---------------------------------------------------------------------------------------------- */

/* One line about the answer to a ping of ours, for people: "pong 7: 0.312 ms". Of another pong there is nothing to
 * say: a server may send some unasked (RFC 6455, 5.5.3). */
void session_print_pong(struct session *session, FILE *out, const void *payload, size_t size);

/* After the end: it was closed as it should be. */
bool session_is_clean(const struct session *session);

/* "Connection closed: 1000 (OK)", and why it failed if it did. */
void session_print_end(const struct session *session, FILE *out);

uint64_t session_now(void); /* ns */

#endif
