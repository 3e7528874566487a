/* pipe.c - the calling thread receives and prints; a second thread reads and sends (pipe_send.c).
 *
 * There are two threads because either side may be stuck: a server that does not read because we do not read its
 * answers, or an output that is not read. A stuck thread does not hold up the other one, and nothing is queued:
 * the kernel's buffers fill, and then the other end waits. The sender may therefore take any time it needs, and
 * it alone watches signals, time and an output that is closed.
 *
 * When the input has ended, the sender waits for the answers, or as long as --wait says, and closes. What the
 * server still sends before its own Close is printed. If the server then sends nothing for PATIENCE_MS, the
 * sender gives up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/pipe.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "commands/connect/pipe_private.h"
#include "commands/connect/signals.h"
#include "commands/connect/text.h"

enum { OUTPUT_SIZE = 65536 };

/* --- Receiving ---------------------------------------------------------------------------------------------- */

static void signal_event(int eventfd) {
    uint64_t one = 1;
    ssize_t ignored = write(eventfd, &one, sizeof one);
    (void)ignored;
}

/* A closed output is not an error, because its reader wants no more, as in `| head`. */
static void output_failed(struct pipe *pipe, int number) {
    if (number != EPIPE) {
        fprintf(stderr, "weir connect: the output cannot be written: %s\n", strerror(number));
        pipe->failed = true;
    }
    pipe->muted = true;
    signal_event(pipe->wake);
}

static void count_answer(struct pipe *pipe) {
    if (++pipe->received == pipe->awaited)
        signal_event(pipe->wake);
}

static void print_message(weir_client *client, const struct weir_client_message *message, void *context) {
    struct pipe *pipe = context;
    (void)client;
    if (pipe->muted)
        return;
    pipe->last_sign = PIPE_NEVER;
    count_answer(pipe); /* before the output makes it visible */
    if (message->opcode == WEIR_BINARY)
        text_print_hex(stdout, message->data, message->size);
    else if (pipe->to_terminal)
        text_show(stdout, message->data, message->size);
    else
        text_print_line(stdout, message->data, message->size);
    putchar('\n');
    if (fflush(stdout) != 0)
        output_failed(pipe, errno);
    pipe->last_sign = session_now();
}

static void print_pong(void *context, const void *payload, size_t size) {
    struct pipe *pipe = context;
    session_print_pong(pipe->session, stderr, payload, size);
}

/* --- Both --------------------------------------------------------------------------------------------------- */

static bool prepare(struct pipe *pipe) {
    static char output[OUTPUT_SIZE];
    pipe->signals = signals_catch(false);
    pipe->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pipe->to_terminal = isatty(STDOUT_FILENO);
    setvbuf(stdout, output, _IOFBF, sizeof output);
    weir_client_on_pong(pipe->session->client, print_pong, pipe);
    return pipe->signals >= 0 && pipe->wake >= 0;
}

bool pipe_run(struct session *session) {
    struct pipe pipe = {.session = session, .awaited = PIPE_NEVER};
    pthread_t sender;
    int problem = prepare(&pipe) ? 0 : errno;
    if (problem != 0 || (problem = pthread_create(&sender, NULL, pipe_send_all, &pipe)) != 0) {
        fprintf(stderr, "weir connect: %s\n", strerror(problem));
        return false;
    }
    weir_client_run(session->client, print_message, &pipe);
    pipe.over = true;
    signal_event(pipe.wake);
    pthread_join(sender, NULL);
    close(pipe.wake);
    return !pipe.failed;
}
