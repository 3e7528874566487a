/* interactive.c - one thread polls keys, connection and signals. It receives only as fast as the terminal prints,
 * so a stopped terminal (^S) slows the server down instead of filling our memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/interactive.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/connect/editor.h"
#include "commands/connect/signals.h"
#include "commands/connect/text.h"

enum { BATCH = 64 }; /* messages printed before the keys are checked again */

struct interactive {
    struct session *session;
    struct editor *editor;
    int signals;
    bool hidden;  /* the line being typed is hidden, because output was printed above it */
    bool pending; /* messages may have arrived that poll() does not report */
};

/* --- Printing ----------------------------------------------------------------------------------------------- */

static void begin_printing(struct interactive *interactive) {
    if (!interactive->hidden)
        editor_hide(interactive->editor);
    interactive->hidden = true;
}

static void end_printing(struct interactive *interactive) {
    if (interactive->hidden)
        editor_show(interactive->editor);
    interactive->hidden = false;
}

static void print_message(struct interactive *interactive, const struct weir_client_message *message) {
    begin_printing(interactive);
    if (message->opcode == WEIR_BINARY) {
        fputs("< (binary) ", stdout);
        text_print_hex(stdout, message->data, message->size);
    } else {
        fputs("< ", stdout);
        text_show(stdout, message->data, message->size);
    }
    putchar('\n');
}

static void print_pong(void *context, const void *payload, size_t size) {
    struct interactive *interactive = context;
    begin_printing(interactive);
    session_print_pong(interactive->session, stdout, payload, size);
}

/* --- Waiting ------------------------------------------------------------------------------------------------ */

/* Prints messages that have arrived, at most BATCH. False if there will be no more. */
static bool receive_some(struct interactive *interactive) {
    struct weir_client_message message;
    enum weir_status status = WEIR_OK;
    for (int i = 0; i < BATCH && status == WEIR_OK; i++) {
        status = weir_client_receive(interactive->session->client, &message, 0);
        if (status == WEIR_OK)
            print_message(interactive, &message);
    }
    interactive->pending = status == WEIR_OK;
    return status == WEIR_OK || status == WEIR_TIMEOUT;
}

/* False if a signal asks to end. */
static bool handle_signals(struct interactive *interactive) {
    for (int number; (number = signals_next()) != 0;)
        if (number == SIGWINCH)
            editor_resized(interactive->editor);
        else if (number == SIGTSTP)
            editor_suspend(interactive->editor);
        else
            return false;
    return true;
}

static bool wait_for_key(void *context) {
    struct interactive *interactive = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = weir_client_descriptor(interactive->session->client), .events = POLLIN},
                               {.fd = interactive->signals, .events = POLLIN}};
        int timeout = session_ping(interactive->session);
        int ready = poll(fds, sizeof fds / sizeof *fds, interactive->pending ? 0 : timeout);
        if (ready < 0)
            continue; /* a signal arrived, and is in the pipe now */
        bool go_on = handle_signals(interactive) &&
                     ((fds[1].revents == 0 && !interactive->pending) || receive_some(interactive));
        if (!go_on) {
            begin_printing(interactive);
            return false;
        }
        end_printing(interactive);
        if (fds[0].revents != 0)
            return true;
    }
}

/* --- Lines -------------------------------------------------------------------------------------------------- */

/* Returns whether to continue. */
static bool take_line(struct session *session, char *line, size_t size) {
    switch (session_take(session, line, size, true)) {
    case SESSION_SENT:
        return true;
    case SESSION_HELP:
        fputs(slash_help, stdout);
        return true;
    case SESSION_REFUSED:
        text_show(stdout, session->slash.wrong, strlen(session->slash.wrong));
        putchar('\n');
        return true;
    default:
        return false;
    }
}

static void talk(struct interactive *interactive) {
    char *line;
    size_t size;
    do
        line = editor_line(interactive->editor, &size);
    while (line != NULL && take_line(interactive->session, line, size));
    interactive->hidden = true;                               /* no line is left to remove or redraw */
    while (receive_some(interactive) && interactive->pending) /* prints what arrived before the end */
        ;
}

/* Begins to close, and prints what the server still sends before its Close. */
static void finish(struct interactive *interactive) {
    struct weir_client_message message;
    session_begin_close(interactive->session);
    while (weir_client_receive(interactive->session->client, &message, WEIR_CLIENT_FOREVER) == WEIR_OK)
        print_message(interactive, &message);
}

bool interactive_run(struct session *session) {
    struct interactive interactive = {.session = session,
                                      .signals = signals_catch(true),
                                      .pending = true /* frames may have come with the handshake */};
    interactive.editor = interactive.signals >= 0 ? editor_open(wait_for_key, &interactive) : NULL;
    if (interactive.editor == NULL) {
        fprintf(stderr, "weir connect: %s\n", strerror(interactive.signals < 0 ? errno : ENOMEM));
        return false;
    }
    weir_client_on_pong(session->client, print_pong, &interactive);
    talk(&interactive);
    editor_close(interactive.editor);
    fflush(stdout);
    finish(&interactive);
    return true;
}
