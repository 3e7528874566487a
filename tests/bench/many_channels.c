/* many_channels.c - one client in many channels (docs/protocol.md, weir.v1), and publishers that send to all of
 * them in turn: what a delivery costs where a connection has not one channel but a thousand.
 *
 *     many_channels --port 9000 --channels 1000 --publishers 4 --window 8 --duration 5
 *
 * Closed loop: a publisher sends its next message when one of its own has come to the subscriber. Its data says who
 * sent it, which it is, and when that was decided, so that each can be told apart; offsets have to grow by one in
 * each channel. All connections are of one thread, which shares the processors with the server.
 *
 * One JSON object goes to stdout. Exit status: 0 if every message came once and in order and each was answered; 1
 * if not, or if a connection failed; 2 on a usage error.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/client.h>

#include "commands/bench/histogram.h"
#include "commands/bench/load/sequence.h"

#define SECOND UINT64_C(1000000000)

enum {
    PUBLISHERS_MAX = 64,
    TEXT_SIZE = 256,    /* of any message that is sent */
    TURN = 64,          /* messages of one connection, then the others have theirs */
    ANSWER_WAIT = 5000, /* milliseconds, for a `subscribed` */
    LOOK_INTERVAL = 50, /* milliseconds between two looks at the clock */
    DRAIN_SECONDS = 5   /* for what is under way at the end */
};

struct options {
    unsigned port, channels, publishers, window;
    double warmup, duration; /* seconds */
    const char *path;
};

struct publisher {
    weir_client *client;
    uint64_t sent, answered, delivered;
    struct sequence heard; /* by the subscriber */
};

struct run {
    struct options options;
    weir_client *subscriber;
    uint64_t *offsets; /* the last one of each channel */
    struct publisher publishers[PUBLISHERS_MAX];
    unsigned turn; /* the channel of the next message */
    uint64_t measure_from, sending_ends;
    uint64_t delivered, overtaken, twice, wrong_offsets;
    double connect_seconds;
    struct histogram latency; /* of those that were to be sent in the measured time */
};

static _Noreturn void __attribute__((format(printf, 2, 3))) die(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("many_channels: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* --- Connections ------------------------------------------------------------------------------------------- */

static weir_client *connect_one(const struct options *options) {
    static const char *const subprotocols[] = {"weir.v1", NULL};
    const struct weir_client_options wanted = {.subprotocols = subprotocols};
    struct weir_client_error error;
    char url[TEXT_SIZE];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", options->port, options->path);
    weir_client *client = weir_client_connect(url, &wanted, &error);
    if (client == NULL)
        die(1, "%s", error.text);
    return client;
}

static void send_text(weir_client *client, const char *text) {
    if (weir_client_send(client, WEIR_TEXT, text, strlen(text)) != WEIR_OK)
        die(1, "sending failed after a close with %u", weir_client_close_code(client));
}

/* Takes a message as terminated text, if one comes within so many milliseconds. */
static bool take(weir_client *client, char *text, size_t size, long wait) {
    struct weir_client_message message;
    enum weir_status status = weir_client_receive(client, &message, wait);
    if (status == WEIR_TIMEOUT)
        return false;
    if (status != WEIR_OK)
        die(1, "the server ended a connection: %u %s", weir_client_close_code(client),
            weir_client_close_reason(client));
    if (message.size >= size)
        die(1, "a message has %zu bytes", message.size);
    memcpy(text, message.data, message.size);
    text[message.size] = '\0';
    return true;
}

/* The number behind `key`, which the message has to have. */
static uint64_t number_after(const char *text, const char *key) {
    const char *found = strstr(text, key);
    if (found == NULL)
        die(1, "no %s in: %s", key, text);
    return strtoull(found + strlen(key), NULL, 10);
}

static bool is(const char *text, const char *type) {
    return strstr(text, type) != NULL;
}

static void subscribe(struct run *run, unsigned channel) {
    char text[4 * TEXT_SIZE];
    snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"channel\":\"many:%u\"}", channel);
    send_text(run->subscriber, text);
    if (!take(run->subscriber, text, sizeof text, ANSWER_WAIT) || !is(text, "\"type\":\"subscribed\""))
        die(1, "no `subscribed` for channel %u, but: %s", channel, text);
    run->offsets[channel] = number_after(text, "\"offset\":");
}

static void connect_all(struct run *run) {
    const struct options *options = &run->options;
    uint64_t began = now();
    run->offsets = calloc(options->channels, sizeof *run->offsets);
    if (run->offsets == NULL)
        die(1, "out of memory");
    run->subscriber = connect_one(options);
    for (unsigned i = 0; i < options->channels; i++)
        subscribe(run, i);
    for (unsigned i = 0; i < options->publishers; i++)
        run->publishers[i].client = connect_one(options);
    run->connect_seconds = (double)(now() - began) / (double)SECOND;
}

/* --- Messages ---------------------------------------------------------------------------------------------- */

static void publish(struct run *run, unsigned number) {
    struct publisher *publisher = &run->publishers[number];
    char text[TEXT_SIZE];
    snprintf(text, sizeof text,
             "{\"type\":\"publish\",\"channel\":\"many:%u\",\"data\":[%u,%" PRIu64 ",%" PRIu64 "]}", run->turn,
             number, publisher->sent, now());
    send_text(publisher->client, text);
    publisher->sent++;
    run->turn = (run->turn + 1) % run->options.channels;
}

/* An answer that a publisher got. */
static void take_answer(struct publisher *publisher, const char *text) {
    if (!is(text, "\"type\":\"published\""))
        die(1, "no `published`, but: %s", text);
    publisher->answered++;
}

static void check_offset(struct run *run, const char *text) {
    uint64_t channel = number_after(text, "\"channel\":\"many:"), offset = number_after(text, "\"offset\":");
    if (channel >= run->options.channels)
        die(1, "from a channel that nobody subscribed to: %s", text);
    run->wrong_offsets += offset != run->offsets[channel] + 1;
    run->offsets[channel] = offset;
}

/* A delivery to the subscriber. */
static void take_delivery(struct run *run, const char *text) {
    unsigned sender;
    uint64_t number, sent, received = now();
    const char *data = strstr(text, "\"data\":[");
    if (data == NULL || sscanf(data, "\"data\":[%u,%" SCNu64 ",%" SCNu64 "]", &sender, &number, &sent) != 3 ||
        sender >= run->options.publishers)
        die(1, "not what was published: %s", text);
    check_offset(run, text);
    struct publisher *publisher = &run->publishers[sender];
    enum sequence_result heard = sequence_hear(&publisher->heard, (uint32_t)number);
    run->overtaken += heard == SEQUENCE_LATE;
    run->twice += heard == SEQUENCE_AGAIN;
    if (heard == SEQUENCE_AGAIN)
        return;
    publisher->delivered++;
    run->delivered++;
    if (sent >= run->measure_from && sent < run->sending_ends)
        histogram_record(&run->latency, received - sent);
    if (received < run->sending_ends)
        publish(run, sender);
}

/* The subscriber's place is 0. True if there may be more, of which poll() need not tell. */
static bool take_some(struct run *run, unsigned place) {
    char text[4 * TEXT_SIZE];
    weir_client *client = place == 0 ? run->subscriber : run->publishers[place - 1].client;
    for (unsigned count = 0; count < TURN; count++) {
        if (!take(client, text, sizeof text, 0))
            return false;
        if (place == 0)
            take_delivery(run, text);
        else
            take_answer(&run->publishers[place - 1], text);
    }
    return true;
}

/* --- The run ----------------------------------------------------------------------------------------------- */

static bool complete(const struct run *run) {
    for (unsigned i = 0; i < run->options.publishers; i++) {
        const struct publisher *publisher = &run->publishers[i];
        if (publisher->delivered < publisher->sent || publisher->answered < publisher->sent)
            return false;
    }
    return true;
}

/* Takes what comes until nothing more is to be sent and all is back. */
static void exchange(struct run *run) {
    struct pollfd polls[PUBLISHERS_MAX + 1];
    bool more[PUBLISHERS_MAX + 1], any = true;
    nfds_t count = run->options.publishers + 1;
    for (unsigned i = 0; i < count; i++) {
        const weir_client *client = i == 0 ? run->subscriber : run->publishers[i - 1].client;
        polls[i] = (struct pollfd){.fd = weir_client_descriptor(client), .events = POLLIN};
        more[i] = true;
    }
    uint64_t time, deadline = run->sending_ends + DRAIN_SECONDS * SECOND;
    while ((time = now()) < run->sending_ends || (time < deadline && !complete(run))) {
        if (poll(polls, count, any ? 0 : LOOK_INTERVAL) < 0)
            die(1, "poll failed");
        any = false;
        for (unsigned i = 0; i < count; i++) {
            more[i] = (more[i] || polls[i].revents != 0) && take_some(run, i);
            any |= more[i];
        }
    }
}

static void close_client(weir_client *client) {
    weir_client_close(client, 1000, NULL);
    weir_client_wait_closed(client);
}

static void measure(struct run *run) {
    const struct options *options = &run->options;
    run->measure_from = now() + (uint64_t)(options->warmup * (double)SECOND);
    run->sending_ends = run->measure_from + (uint64_t)(options->duration * (double)SECOND);
    for (unsigned i = 0; i < options->window; i++)
        for (unsigned number = 0; number < options->publishers; number++)
            publish(run, number);
    exchange(run);
    for (unsigned i = 0; i < options->publishers; i++)
        close_client(run->publishers[i].client);
    close_client(run->subscriber);
}

static double percentile_us(const struct run *run, double percent) {
    return (double)histogram_percentile(&run->latency, percent) / 1000;
}

/* Returns the exit status. */
static int report(const struct run *run) {
    uint64_t sent = 0, answered = 0;
    for (unsigned i = 0; i < run->options.publishers; i++) {
        sent += run->publishers[i].sent;
        answered += run->publishers[i].answered;
    }
    uint64_t missing = sent - run->delivered, unanswered = sent - answered;
    printf(
        "{\"channels\":%u,\"publishers\":%u,\"window\":%u,\"duration\":%g,\"connect_seconds\":%.3f,\"rate\":%.1f,"
        "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"published\":%" PRIu64
        ",\"delivered\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"unanswered\":%" PRIu64 ",\"out_of_order\":%" PRIu64
        ",\"twice\":%" PRIu64 ",\"wrong_offsets\":%" PRIu64 "}\n",
        run->options.channels, run->options.publishers, run->options.window, run->options.duration,
        run->connect_seconds, (double)run->latency.count / run->options.duration, percentile_us(run, 50),
        percentile_us(run, 90), percentile_us(run, 99), (double)run->latency.maximum / 1000, sent, run->delivered,
        missing, unanswered, run->overtaken, run->twice, run->wrong_offsets);
    return missing + unanswered + run->overtaken + run->twice + run->wrong_offsets > 0 || run->delivered == 0;
}

/* --- The command line -------------------------------------------------------------------------------------- */

static const char usage[] = "usage: many_channels --port PORT [--path PATH (/channels)] [--channels N (1000)] "
                            "[--publishers N (4)]\n"
                            "                     [--window N (8), messages in flight of each publisher] [--warmup "
                            "SECONDS (0.5)] [--duration SECONDS (5)]\n";

static unsigned count_of(const char *text, unsigned long most) {
    char *rest;
    unsigned long value = strtoul(text, &rest, 10);
    if (rest == text || *rest != '\0' || *text == '-' || value < 1 || value > most)
        die(2, "\"%s\": write a number from 1 to %lu", text, most);
    return (unsigned)value;
}

static double seconds_of(const char *text, double least) {
    char *rest;
    double value = strtod(text, &rest);
    if (rest == text || *rest != '\0' || !(value >= least && value <= 86400))
        die(2, "\"%s\": write a number of seconds", text);
    return value;
}

static void read_options(struct options *options, int argc, char **argv) {
    static const struct option names[] = {{"port", 1, NULL, 'p'},       {"path", 1, NULL, 'P'},
                                          {"channels", 1, NULL, 'c'},   {"window", 1, NULL, 'w'},
                                          {"publishers", 1, NULL, 'n'}, {"warmup", 1, NULL, 'u'},
                                          {"duration", 1, NULL, 'd'},   {NULL, 0, NULL, 0}};
    *options = (struct options){
        .channels = 1000, .publishers = 4, .window = 8, .warmup = 0.5, .duration = 5, .path = "/channels"};
    for (int key; (key = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (key) {
        case 'p':
            options->port = count_of(optarg, 65535);
            break;
        case 'P':
            options->path = optarg;
            break;
        case 'c':
            options->channels = count_of(optarg, 1000000);
            break;
        case 'n':
            options->publishers = count_of(optarg, PUBLISHERS_MAX);
            break;
        case 'w':
            options->window = count_of(optarg, 65536);
            break;
        case 'u':
            options->warmup = seconds_of(optarg, 0);
            break;
        case 'd':
            options->duration = seconds_of(optarg, 0.001);
            break;
        default:
            exit(2); /* getopt has said why */
        }
    if (options->port == 0 || optind < argc || options->path[0] != '/') {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    static struct run run;
    read_options(&run.options, argc, argv);
    connect_all(&run);
    measure(&run);
    int status = report(&run);
    for (unsigned i = 0; i < run.options.publishers; i++)
        weir_client_destroy(run.publishers[i].client);
    weir_client_destroy(run.subscriber);
    free(run.offsets);
    return status;
}
