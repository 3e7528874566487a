/* command.c - `weir connect`: exchanges messages with a WebSocket server, interactively or in a pipe.
 *
 * SPDX-License-Identifier: MIT
 */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/connect/interactive.h"
#include "commands/connect/options.h"
#include "commands/connect/pipe.h"
#include "commands/connect/session.h"
#include "commands/connect/text.h"

/* In a pipe, weir waits for a slow server; pipe.c says when it stops waiting. */
static const uint64_t as_long_as_it_takes = (uint64_t)365 * 24 * 3600 * 1000;

/* Prints the URL without user and password, for the screen and for logs. */
static void print_url(FILE *out, const char *url) {
    const char *authority = strstr(url, "://");
    authority = authority == NULL ? url : authority + 3;
    size_t size = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', size);
    const char *rest = at == NULL ? authority : at + 1;
    text_show(out, url, (size_t)(authority - url));
    text_show(out, rest, strlen(rest));
}

/* Skips the URL at the start of a library error, because it has just been printed. */
static const char *without_location(const char *text) {
    const char *end = strncmp(text, "ws", 2) == 0 ? strstr(text, ": ") : NULL;
    return end == NULL ? text : end + 2;
}

static int report_no_connection(const char *url, const struct weir_client_error *error) {
    const char *text = without_location(error->text);
    fputs("Failed to connect to ", stderr);
    print_url(stderr, url);
    fputs(": ", stderr);
    text_show(stderr, text, strlen(text));
    putc('\n', stderr);
    return error->cause == WEIR_CLIENT_BAD_ARGUMENT ? STATUS_USAGE : STATUS_FAILURE;
}

static void print_connected(const struct session *session) {
    const char *subprotocol = weir_client_subprotocol(session->client);
    fputs("Connected to ", stdout);
    print_url(stdout, session->options->url);
    if (subprotocol != NULL) {
        fputs(", subprotocol ", stdout);
        text_show(stdout, subprotocol, strlen(subprotocol));
    }
    if (weir_client_compressed(session->client))
        fputs(", compressed", stdout);
    putchar('\n');
}

static int talk(weir_client *client, const struct options *options, bool interactive) {
    struct session session;
    session_begin(&session, client, options);
    if (interactive)
        print_connected(&session);
    bool right = interactive ? interactive_run(&session) : pipe_run(&session);
    bool clean = session_is_clean(&session);
    if (interactive || !clean)
        session_print_end(&session, interactive ? stdout : stderr);
    session_end(&session);
    return right && clean ? STATUS_OK : STATUS_FAILURE;
}

static int connect_and_talk(const struct options *options) {
    bool interactive = options->messages.count == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    const struct weir_client_options client_options = {
        .headers = options->headers.items,
        .subprotocols = options->subprotocols.items,
        .origin = options->origin,
        .source = options->source,
        .connect_timeout_ms = options->timeout_ms,
        .send_timeout_ms = interactive ? 0 : as_long_as_it_takes,
        .close_timeout_ms = interactive ? 0 : as_long_as_it_takes,
        .max_message_size = options->max_size,
        .compress = options->compress,
    };
    struct weir_client_error error;
    weir_client *client = weir_client_connect(options->url, &client_options, &error);
    if (client == NULL)
        return report_no_connection(options->url, &error);
    int status = talk(client, options, interactive);
    weir_client_destroy(client);
    return status;
}

/* Messages are UTF-8, so the line editor must read and draw UTF-8 too. */
static void set_locale(void) {
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int command_connect(int argc, char **argv) {
    struct options options;
    int status = options_parse(&options, argc, argv);
    if (status < 0) {
        set_locale();
        signal(SIGPIPE, SIG_IGN);
        status = connect_and_talk(&options);
    }
    options_release(&options);
    return status;
}
