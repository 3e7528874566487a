/* session.h - what the terminal and the pipe have in common: handle a line, send pings on time, report the end.
 *
 * In a pipe one thread sends and another receives: the first uses the functions under "Sending", the second those
 * under "Receiving".
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

#include "commands/connect/options.h"
#include "commands/connect/pings.h"
#include "commands/connect/slash.h"

struct session {
    weir_client *client;
    const struct options *options;
    struct pings pings;
    uint64_t next_ping; /* ns; UINT64_MAX: never */
    unsigned ping_count;
    unsigned close_code; /* the code of our Close */
    char close_reason[128];
    struct slash slash; /* the last line, parsed */
};

void session_begin(struct session *session, weir_client *client, const struct options *options);
void session_end(struct session *session);

/* --- Sending ------------------------------------------------------------------------------------------------ */

enum session_input {
    SESSION_SENT,
    SESSION_HELP,    /* the user wants slash_help */
    SESSION_CLOSE,   /* the user wants to close: call session_begin_close() */
    SESSION_REFUSED, /* nothing was sent: session->slash.wrong says why */
    SESSION_OVER     /* the connection accepts no more messages */
};

/* Handles one line, terminated and without its newline; changes it. With `slash`, it may be a command. */
enum session_input session_take(struct session *session, char *line, size_t size, bool slash);

/* Sends the ping of --ping if it is due. Returns the milliseconds until the next one; -1 without --ping. */
int session_ping(struct session *session);

/* Queues our Close. What the server still sends can be received. */
void session_begin_close(struct session *session);

/* --- Receiving ---------------------------------------------------------------------------------------------- */

/* Prints one line about the answer to one of our pings: "pong 7: 0.312 ms". Prints nothing for other pongs, which
 * a server may send unasked (RFC 6455, 5.5.3). */
void session_print_pong(struct session *session, FILE *out, const void *payload, size_t size);

/* After the end: true if the connection closed normally. */
bool session_is_clean(const struct session *session);

/* Prints "Connection closed: 1000 (OK)", followed by the error if the connection failed. */
void session_print_end(const struct session *session, FILE *out);

uint64_t session_now(void); /* ns */

#endif
