/* pipe_send.c - the thread that reads lines and sends them. It waits for input, time, signals, a closed output,
 * and finally for the end of the connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands/connect/lines.h"
#include "commands/connect/pipe_private.h"
#include "commands/connect/signals.h"

enum { PATIENCE_MS = 10000, TICK_MS = 1000 };

/* --- Waiting ------------------------------------------------------------------------------------------------ */

enum event { EVENT_INPUT, EVENT_TIME, EVENT_STOP };

static int milliseconds_until(uint64_t deadline, int ping_ms) {
    uint64_t now = session_now(), left = deadline <= now ? 0 : (deadline - now) / 1000000 + 1;
    int wait_ms = left < TICK_MS ? (int)left : TICK_MS;
    return ping_ms >= 0 && ping_ms < wait_ms ? ping_ms : wait_ms;
}

static bool must_stop(struct pipe *pipe, const struct pollfd *wake, const struct pollfd *signals,
                      const struct pollfd *output) {
    uint64_t count;
    if (output->revents & POLLERR)
        pipe->muted = true;
    bool woken = wake->revents != 0 && read(pipe->wake, &count, sizeof count) > 0;
    bool signalled = signals->revents != 0 && signals_next() != 0;
    return woken || signalled || (output->revents & POLLERR);
}

/* Waits for standard input if `input`, for the deadline, or for a reason to stop sending. Checks periodically for
 * a server that has sent its Close but does not end the stream. */
static enum event wait_for(struct pipe *pipe, bool input, uint64_t deadline) {
    for (;;) {
        struct pollfd fds[] = {{.fd = input ? STDIN_FILENO : -1, .events = POLLIN},
                               {.fd = pipe->wake, .events = POLLIN},
                               {.fd = pipe->signals, .events = POLLIN},
                               {.fd = pipe->muted ? -1 : STDOUT_FILENO}};
        int ready = poll(fds, sizeof fds / sizeof *fds, milliseconds_until(deadline, session_ping(pipe->session)));
        if (ready > 0 && must_stop(pipe, &fds[1], &fds[2], &fds[3]))
            return EVENT_STOP;
        if (ready > 0 && fds[0].revents != 0)
            return EVENT_INPUT;
        if (ready == 0 && !pipe->closing && weir_client_close_code(pipe->session->client) != 0)
            return EVENT_STOP;
        if (session_now() >= deadline)
            return EVENT_TIME;
    }
}

/* --- Sending ------------------------------------------------------------------------------------------------ */

static bool complain(struct pipe *pipe, const char *what, size_t number, const char *why) {
    fprintf(stderr, "weir connect: %s %zu: %s\n", what, number, why);
    pipe->failed = true;
    return false;
}

/* Sends one line. Returns whether to continue. */
static bool send_line(struct pipe *pipe, char *line, size_t size, const char *what, size_t number) {
    struct session *session = pipe->session;
    if (pipe->sent == 0)
        pipe->received = 0; /* messages before the first one sent are not answers */
    switch (session_take(session, line, size, session->options->slash)) {
    case SESSION_SENT:
        pipe->sent += session->slash.kind != SLASH_PING;
        return true;
    case SESSION_HELP:
        fputs(slash_help, stderr);
        return true;
    case SESSION_REFUSED:
        return complain(pipe, what, number, session->slash.wrong);
    default:
        return false;
    }
}

static bool send_messages(struct pipe *pipe) {
    const struct list *messages = &pipe->session->options->messages;
    bool go_on = true;
    for (size_t i = 0; i < messages->count && go_on; i++) {
        char *copy = strdup(messages->items[i]);
        go_on = copy != NULL ? send_line(pipe, copy, strlen(copy), "message", i + 1)
                             : complain(pipe, "message", i + 1, strerror(ENOMEM));
        free(copy);
    }
    return go_on;
}

/* Sends all complete lines; with `last`, the rest of the input is a line too. Returns whether to continue. */
static bool send_lines(struct pipe *pipe, struct lines *lines, bool last, size_t *number) {
    char *line;
    size_t size;
    while (lines_next(lines, last, &line, &size)) {
        if (pipe->muted || !send_line(pipe, line, size, "line", ++*number))
            return false;
    }
    return true;
}

static bool send_input(struct pipe *pipe, struct lines *lines) {
    size_t number = 0;
    while (wait_for(pipe, true, PIPE_NEVER) == EVENT_INPUT) {
        size_t size;
        char *space = lines_space(lines, &size);
        if (space == NULL)
            return complain(pipe, "line", number + 1, strerror(ENOMEM));
        ssize_t got = read(STDIN_FILENO, space, size);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return complain(pipe, "line", number + 1, strerror(errno));
        lines_filled(lines, (size_t)got);
        if (!send_lines(pipe, lines, got == 0, &number))
            return false;
        if (got == 0)
            return true;
    }
    return false;
}

/* --- After the input ---------------------------------------------------------------------------------------- */

/* Waits until as many messages have arrived as were sent, or none arrives for PATIENCE_MS. */
static void wait_for_answers(struct pipe *pipe) {
    uint64_t begun = session_now();
    pipe->awaited = pipe->sent;
    while (pipe->received < pipe->sent) {
        uint64_t sign = pipe->last_sign, since = sign > begun ? sign : begun;
        enum event event =
            wait_for(pipe, false, since == PIPE_NEVER ? PIPE_NEVER : since + (uint64_t)PATIENCE_MS * 1000000);
        if (event == EVENT_STOP)
            return;
        if (sign != pipe->last_sign)
            continue;
        if (pipe->received == 0) {
            fprintf(stderr, "weir connect: no answer within %d s; --wait sets how long to wait, 0 not at all\n",
                    PATIENCE_MS / 1000);
            pipe->failed = true;
        }
        return;
    }
}

static void wait_as_told(struct pipe *pipe) {
    const struct options *options = pipe->session->options;
    if (options->wait_for_answers)
        wait_for_answers(pipe);
    else
        wait_for(pipe, false, session_now() + options->wait_ms * 1000000);
}

/* Waits for the end after our Close. Shuts the connection down if the server neither sends nor closes, or closes
 * but does not end the stream. */
static void watch_end(struct pipe *pipe) {
    weir_client *client = pipe->session->client;
    pipe->closing = true;
    pipe->last_sign = session_now();
    while (!pipe->over) {
        uint64_t sign = pipe->last_sign;
        uint64_t patience = (uint64_t)(weir_client_close_code(client) != 0 ? TICK_MS : PATIENCE_MS) * 1000000;
        if (wait_for(pipe, false, sign == PIPE_NEVER ? PIPE_NEVER : sign + patience) == EVENT_TIME &&
            sign == pipe->last_sign)
            shutdown(weir_client_descriptor(client), SHUT_RDWR);
    }
}

void *pipe_send_all(void *context) {
    struct pipe *pipe = context;
    struct session *session = pipe->session;
    struct lines lines = {0};
    bool go_on = session->options->messages.count > 0 ? send_messages(pipe) : send_input(pipe, &lines);
    lines_release(&lines);
    if (go_on)
        wait_as_told(pipe);
    session_begin_close(session);
    watch_end(pipe);
    return NULL;
}
