/* options.c - the options of `weir connect` and its help text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "commands/connect/options.h"

#include <getopt.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/connect/quantity.h"
#include "commands/usage.h"

enum { DEFAULT_TIMEOUT_MS = 10000, DEFAULT_MAX_SIZE = 1 << 20 };
enum { AUTH_MAX = 4096 };

/* 24 lines, which fit on a screen. */
static const char help[] =
    "usage: weir connect [OPTION...] ws://HOST[:PORT][/PATH]\n"
    "  -H, --header 'NAME: VALUE'  a header of the request (repeatable)\n"
    "  -s, --subprotocol NAME      offer a subprotocol (repeatable, or a list with commas)\n"
    "  -o, --origin ORIGIN         the Origin header, as a browser sends it\n"
    "  -a, --auth USER:PASSWORD    HTTP Basic authentication\n"
    "  -x, --execute MESSAGE       send this instead of reading (repeatable)\n"
    "  -w, --wait SECONDS          stay so long after the last message, whatever comes (see below)\n"
    "  -b, --binary                messages are written in hexadecimal digits, sent as bytes\n"
    "  -p, --ping SECONDS          send pings this often and print their round-trip times\n"
    "  -c, --compress              offer permessage-deflate\n"
    "  -t, --timeout SECONDS       to connect (10)\n"
    "  -m, --max-size SIZE         of a message received: 64KiB, 1G (1MiB)\n"
    "      --source ADDRESS        the local IP address to connect from\n"
    "      --slash                 slash commands on a pipe too\n"
    "  -h, --help                  this\n"
    "On a terminal each line typed is a message, or a command if it begins with / (see /help).\n"
    "What comes is marked <, its control characters escaped. ^D or ^C closes.\n"
    "On a pipe, and with -x, one line in is one message, and one message one line out, newlines in it\n"
    "made spaces, bytes in hexadecimal digits. Pings are reported on stderr. When the input ends, the\n"
    "connection is closed once as many messages have come as were sent, or none for 10 s; with --wait\n"
    "after that time, with --wait 0 at once. What still comes before the server's Close is printed.\n"
    "Exit status: 0 after a clean close by either side (1000, 1001, 1005); 1 if the connection failed,\n"
    "was lost or closed with another code, if a message could not be sent or printed, or if nothing\n"
    "answered within those 10 s; 2 if the command line is wrong.\n";

enum { SOURCE = 256, SLASH }; /* getopt_long()'s values for options without a letter */

static const char letters[] = ":H:s:o:a:x:w:bp:ct:m:h";
static const struct option names[] = {{"header", required_argument, NULL, 'H'},
                                      {"subprotocol", required_argument, NULL, 's'},
                                      {"origin", required_argument, NULL, 'o'},
                                      {"auth", required_argument, NULL, 'a'},
                                      {"execute", required_argument, NULL, 'x'},
                                      {"wait", required_argument, NULL, 'w'},
                                      {"binary", no_argument, NULL, 'b'},
                                      {"ping", required_argument, NULL, 'p'},
                                      {"compress", no_argument, NULL, 'c'},
                                      {"timeout", required_argument, NULL, 't'},
                                      {"max-size", required_argument, NULL, 'm'},
                                      {"source", required_argument, NULL, SOURCE},
                                      {"slash", no_argument, NULL, SLASH},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

/* --- Option arguments: each function returns NULL or what is wrong ----------------------------------------- */

static const char out_of_memory[] = "does not fit into the memory that is left";

static const char *add(struct list *list, const char *item) {
    const char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (items == NULL)
        return out_of_memory;
    items[list->count++] = item;
    items[list->count] = NULL;
    list->items = items;
    return NULL;
}

static const char *add_header(struct list *list, const char *header) {
    const char *colon = strchr(header, ':');
    return colon == NULL || colon == header ? "is not a header; write it like 'Name: value'" : add(list, header);
}

/* Adds the names of a comma-separated list, which is split in place. */
static const char *add_subprotocols(struct list *list, char *text) {
    const char *error = NULL;
    char *rest;
    size_t before = list->count;
    for (char *name = strtok_r(text, ", ", &rest); name != NULL && error == NULL;
         name = strtok_r(NULL, ", ", &rest))
        error = add(list, name);
    return error == NULL && list->count == before ? "is empty; name a subprotocol" : error;
}

static const char *set_authorization(struct options *options, const char *credentials) {
    static const char name[] = "Authorization: Basic ";
    size_t size = strlen(credentials);
    if (strchr(credentials, ':') == NULL)
        return "has no password; write it like user:password";
    if (size > AUTH_MAX)
        return "is too long";
    free(options->authorization);
    options->authorization = malloc(sizeof name + (size + 2) / 3 * 4);
    if (options->authorization == NULL)
        return out_of_memory;
    unsigned char *end = (unsigned char *)stpcpy(options->authorization, name);
    EVP_EncodeBlock(end, (const unsigned char *)credentials, (int)size);
    return NULL;
}

static const char *set_seconds(uint64_t *milliseconds, const char *text, bool zero_allowed) {
    uint64_t number;
    if (!quantity_seconds(text, &number))
        return "is not a time in seconds; write it like 2 or 0.5";
    if (number == 0 && !zero_allowed)
        return "is too short; write it like 2 or 0.5";
    *milliseconds = number;
    return NULL;
}

static const char *set_size(size_t *bytes, const char *text) {
    return quantity_size(text, bytes) ? NULL : "is not a size; write it like 512, 64KiB or 1G";
}

static const char *set_flag(bool *flag) {
    *flag = true;
    return NULL;
}

static const char *take(struct options *options, int option, char *argument) {
    switch (option) {
    case 'H':
        return add_header(&options->headers, argument);
    case 's':
        return add_subprotocols(&options->subprotocols, argument);
    case 'o':
        options->origin = argument;
        return NULL;
    case 'a':
        return set_authorization(options, argument);
    case 'x':
        return add(&options->messages, argument);
    case 'w':
        options->wait_for_answers = false;
        return set_seconds(&options->wait_ms, argument, true);
    case 'b':
        return set_flag(&options->binary);
    case 'p':
        return set_seconds(&options->ping_ms, argument, false);
    case 'c':
        return set_flag(&options->compress);
    case 't':
        return set_seconds(&options->timeout_ms, argument, false);
    case 'm':
        return set_size(&options->max_size, argument);
    case SOURCE:
        options->source = argument;
        return NULL;
    default: /* SLASH */
        return set_flag(&options->slash);
    }
}

/* --- The command line -------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("weir connect: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("; `weir connect --help` shows the options\n", stderr);
    va_end(arguments);
    return STATUS_USAGE;
}

static int parse_options(struct options *options, int argc, char **argv) {
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_OK;
        }
        if (option == '?' || option == ':')
            return usage_wrong_option(argv, option, names);
        const char *error = take(options, option, optarg);
        if (error != NULL)
            return wrong("--%s \"%s\" %s", usage_option_name(names, option), optarg, error);
    }
    return -1;
}

int options_parse(struct options *options, int argc, char **argv) {
    *options =
        (struct options){.wait_for_answers = true, .timeout_ms = DEFAULT_TIMEOUT_MS, .max_size = DEFAULT_MAX_SIZE};
    int status = parse_options(options, argc, argv);
    if (status >= 0)
        return status;
    if (optind == argc)
        return wrong("which server? Give a URL like ws://127.0.0.1:9000/echo");
    if (optind + 1 < argc)
        return wrong("\"%s\" comes after the URL", argv[optind + 1]);
    options->url = argv[optind];
    const char *error = options->authorization != NULL ? add(&options->headers, options->authorization) : NULL;
    return error == NULL ? -1 : wrong("--auth %s", error);
}

void options_release(struct options *options) {
    free(options->headers.items);
    free(options->subprotocols.items);
    free(options->messages.items);
    free(options->authorization);
}
