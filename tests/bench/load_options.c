/* load_options.c - see load_options.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bench/load_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One source address has some 28,000 ports for connections to one server. */
enum { CLIENTS_PER_ADDRESS = 25000, ADDRESSES_MAX = 250 };

static const char usage[] =
    "usage: load --port PORT [OPTION]...\n"
    "\n"
    "  --scenario NAME        echo: every client sends, waits for its message and checks it (default)\n"
    "                         broadcast: publishers send, every client counts what it is sent\n"
    "                         idle: connects all clients and holds them\n"
    "                         connect: connects and closes, again and again\n"
    "  --clients N            connections at once (default 1)\n"
    "  --publishers N         of a broadcast: how many clients send (default 1)\n"
    "  --size BYTES           of a message (default 20)\n"
    "  --window N             messages in flight for each sending client (default 1)\n"
    "  --warmup SECONDS       not counted (default 0.5)\n"
    "  --duration SECONDS     counted (default 5)\n"
    "  --threads N            (default 1)\n"
    "  --rate N               handshakes in flight at once (default 64)\n"
    "  --source-addresses N   connect from 127.0.0.2 and the next N - 1 (default: as many as are needed)\n"
    "  --host ADDRESS         an IPv4 address (default 127.0.0.1)\n"
    "  --path PATH            (default /echo)\n"
    "  --json                 one JSON object on stdout, the line for people on stderr\n"
    "\n"
    "Exit status: 0 if all went well; 1 if a connection failed, a message was wrong or lost; 2 on a usage error.\n";

enum option_key {
    KEY_SCENARIO = 256,
    KEY_CLIENTS,
    KEY_PUBLISHERS,
    KEY_SIZE,
    KEY_WINDOW,
    KEY_WARMUP,
    KEY_DURATION,
    KEY_THREADS,
    KEY_RATE,
    KEY_SOURCE_ADDRESSES,
    KEY_HOST,
    KEY_PORT,
    KEY_PATH,
    KEY_JSON,
    KEY_HELP
};

static const struct option names[] = {
    {"scenario", required_argument, NULL, KEY_SCENARIO},
    {"clients", required_argument, NULL, KEY_CLIENTS},
    {"publishers", required_argument, NULL, KEY_PUBLISHERS},
    {"size", required_argument, NULL, KEY_SIZE},
    {"window", required_argument, NULL, KEY_WINDOW},
    {"warmup", required_argument, NULL, KEY_WARMUP},
    {"duration", required_argument, NULL, KEY_DURATION},
    {"threads", required_argument, NULL, KEY_THREADS},
    {"rate", required_argument, NULL, KEY_RATE},
    {"source-addresses", required_argument, NULL, KEY_SOURCE_ADDRESSES},
    {"host", required_argument, NULL, KEY_HOST},
    {"port", required_argument, NULL, KEY_PORT},
    {"path", required_argument, NULL, KEY_PATH},
    {"json", no_argument, NULL, KEY_JSON},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0},
};

static _Noreturn void __attribute__((format(printf, 1, 2))) refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("; see load --help\n", stderr);
    va_end(arguments);
    exit(2);
}

static unsigned number(const char *name, const char *text, unsigned lowest, unsigned highest) {
    char *rest;
    errno = 0;
    long long value = strtoll(text, &rest, 10);
    if (errno || rest == text || *rest != '\0' || value < lowest || value > highest)
        refuse("--%s %s: write a number from %u to %u", name, text, lowest, highest);
    return (unsigned)value;
}

static double seconds(const char *name, const char *text) {
    char *rest;
    double value = strtod(text, &rest);
    if (rest == text || *rest != '\0' || !(value >= 0 && value <= 86400))
        refuse("--%s %s: write a number of seconds up to 86400", name, text);
    return value;
}

static enum scenario scenario_named(const char *text) {
    static const char *const scenarios[] = {"echo", "broadcast", "idle", "connect"};
    for (unsigned i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(text, scenarios[i]) == 0)
            return (enum scenario)i;
    refuse("--scenario %s: there are echo, broadcast, idle and connect", text);
}

static void take_number(struct options *options, int key, const char *name, const char *text) {
    switch (key) {
    case KEY_CLIENTS:
        options->clients = number(name, text, 1, 1000000);
        break;
    case KEY_PUBLISHERS:
        options->publishers = number(name, text, 1, 1000000);
        break;
    case KEY_SIZE:
        options->size = number(name, text, 0, 1u << 30);
        break;
    case KEY_WINDOW:
        options->window = number(name, text, 1, 65536);
        break;
    case KEY_THREADS:
        options->threads = number(name, text, 1, 64);
        break;
    case KEY_RATE:
        options->rate = number(name, text, 1, 65536);
        break;
    case KEY_SOURCE_ADDRESSES:
        options->source_addresses = number(name, text, 1, ADDRESSES_MAX);
        break;
    case KEY_PORT:
        options->port = number(name, text, 1, 65535);
        break;
    }
}

static void take(struct options *options, int key, const char *name, const char *text) {
    switch (key) {
    case KEY_SCENARIO:
        options->scenario = scenario_named(text);
        options->scenario_name = text;
        break;
    case KEY_WARMUP:
        options->warmup = seconds(name, text);
        break;
    case KEY_DURATION:
        options->duration = seconds(name, text);
        break;
    case KEY_HOST:
        options->host = text;
        break;
    case KEY_PATH:
        options->path = text;
        break;
    case KEY_JSON:
        options->json = true;
        break;
    case KEY_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        take_number(options, key, name, text);
    }
}

/* What a single option cannot tell. */
static void check(struct options *options) {
    options->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    if (options->port == 0)
        refuse("--port is missing");
    if (inet_pton(AF_INET, options->host, &options->server.sin_addr) != 1)
        refuse("--host %s: write an IPv4 address", options->host);
    if (options->path[0] != '/' || strlen(options->path) > 1024 || strpbrk(options->path, " \r\n"))
        refuse("--path %s: write a path that begins with / and has no blanks", options->path);
    if (options->threads > options->clients)
        options->threads = options->clients;
    if (options->publishers > options->clients)
        refuse("--publishers %u: there are only %u clients", options->publishers, options->clients);
    if (options->scenario == SCENARIO_BROADCAST && options->size < 8)
        refuse("--size %zu: a broadcast needs 8 bytes, to know whose message it is", options->size);
    if (options->source_addresses == 0 && options->clients > CLIENTS_PER_ADDRESS)
        options->source_addresses = options->clients / CLIENTS_PER_ADDRESS + 1;
}

void options_read(struct options *options, int argc, char **argv) {
    *options = (struct options){.scenario = SCENARIO_ECHO,
                                .scenario_name = "echo",
                                .clients = 1,
                                .threads = 1,
                                .window = 1,
                                .rate = 64,
                                .publishers = 1,
                                .size = 20,
                                .duration = 5,
                                .warmup = 0.5,
                                .host = "127.0.0.1",
                                .path = "/echo"};
    int key, which = 0;
    while ((key = getopt_long(argc, argv, "", names, &which)) != -1) {
        if (key == '?')
            exit(2); /* getopt has said why */
        take(options, key, names[which].name, optarg);
    }
    if (optind < argc)
        refuse("%s: there are only options", argv[optind]);
    check(options);
}
