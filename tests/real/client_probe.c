/* client_probe.c - the client library from the command line, for test_client.py: what it did and why, line by line.
 *
 *     client_probe URL [OPTION=VALUE...] ACTION...
 *
 * Options: header, subprotocol (either may come again), origin, source, connect_timeout, send_timeout,
 * close_timeout, max_message_size, compress. Actions, in their order: send=TEXT, binary=SIZE, ping=TEXT,
 * receive=MILLISECONDS, run (which closes when "please close" comes), slowly (20 us for a message from now on),
 * close=CODE[,REASON], closed_while_running (by another thread), closed_while_held (likewise, with a message in
 * use), flood=COUNT,SIZE (one thread sends, another pings, this one receives and compares).
 *
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/client.h>

static const char *const causes[] = {"NO_ERROR",    "BAD_ARGUMENT", "NO_TLS",   "UNKNOWN_HOST", "REFUSED",
                                     "UNREACHABLE", "TIMED_OUT",    "HTTP",     "HANDSHAKE",    "LOST",
                                     "PROTOCOL",    "TOO_BIG",      "NO_MEMORY"};
static const char *const statuses[] = {"OK",    "CLOSED", "OVERFLOW", "NO_MEMORY", "INVALID",
                                       "LIMIT", "DENIED", "TIMEOUT",  "FAILED"};

_Static_assert(sizeof causes / sizeof *causes == WEIR_CLIENT_CAUSES, "every cause has its name");

static void report_error(const struct weir_client_error *error) {
    printf("error %s %d %s\n", causes[error->cause], error->http_status, error->text);
}

static enum weir_status tell(const char *what, enum weir_status status) {
    printf("%s %s\n", what, statuses[-(int)status]);
    return status;
}

/* Waits for the end, unless another thread receives or a callback runs. */
static enum weir_status close_client(weir_client *client, unsigned code, const char *reason) {
    enum weir_status status = weir_client_close(client, code, reason);
    enum weir_status end = status == WEIR_OK ? weir_client_wait_closed(client) : status;
    return status == WEIR_OK && end == WEIR_INVALID ? WEIR_OK : end;
}

static bool slowly;

static void report_message(weir_client *client, const struct weir_client_message *message, void *context) {
    (void)context;
    if (slowly)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    if (message->size == 12 && memcmp(message->data, "please close", 12) == 0)
        tell("closed", close_client(client, 1000, "as you wish"));
    else if (message->opcode == WEIR_TEXT && message->size < 100)
        printf("text %.*s\n", (int)message->size, (const char *)message->data);
    else
        printf("%s of %zu bytes\n", message->opcode == WEIR_TEXT ? "text" : "binary", message->size);
}

static void report_end(weir_client *client) {
    struct weir_client_error error;
    weir_client_failure(client, &error);
    printf("close %u %s\n", weir_client_close_code(client), weir_client_close_reason(client));
    report_error(&error);
}

/* --- Flood --------------------------------------------------------------------------------------------------- */

struct flood {
    weir_client *client;
    size_t count, size;
};

/* The bytes of a message depend on its number and on their place. */
static void fill(unsigned char *bytes, size_t size, size_t number) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number * 7 + i * 13 + (i >> 12));
}

static void *send_all(void *context) {
    const struct flood *flood = context;
    unsigned char *bytes = malloc(flood->size);
    for (size_t number = 0; number < flood->count; number++) {
        fill(bytes, flood->size, number);
        if (weir_client_send(flood->client, WEIR_BINARY, bytes, flood->size) != WEIR_OK)
            break;
    }
    free(bytes);
    return NULL;
}

static void *ping_often(void *context) {
    const struct flood *flood = context;
    for (size_t number = 0; number < flood->count; number++)
        weir_client_ping(flood->client, &number, sizeof number);
    return NULL;
}

static void count_pong(void *context, const void *data, size_t size) {
    (void)data;
    if (size == sizeof(size_t))
        (*(size_t *)context)++;
}

static void flood_with(weir_client *client, size_t count, size_t size) {
    struct flood flood = {.client = client, .count = count, .size = size};
    struct weir_client_message message;
    size_t right = 0, pongs = 0;
    pthread_t sender, pinger;
    unsigned char *expected = malloc(size);
    weir_client_on_pong(client, count_pong, &pongs);
    pthread_create(&sender, NULL, send_all, &flood);
    pthread_create(&pinger, NULL, ping_often, &flood);
    while (right < count && weir_client_receive(client, &message, 30000) == WEIR_OK) {
        fill(expected, size, right);
        if (message.size != size || memcmp(message.data, expected, size) != 0)
            break;
        right++;
    }
    pthread_join(sender, NULL);
    pthread_join(pinger, NULL);
    /* A Pong is no message: receive() does not return for one. */
    for (int looks = 0; right == count && pongs < count && looks < 1000; looks++)
        if (weir_client_receive(client, &message, 20) != WEIR_TIMEOUT)
            break;
    printf("flood %zu of %zu came back, %zu pongs\n", right, count, pongs);
    free(expected);
}

/* --- Closing from elsewhere ---------------------------------------------------------------------------------- */

static void *close_soon(void *context) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    tell("closed", close_client(context, 1000, "enough"));
    return NULL;
}

static void close_while_running(weir_client *client) {
    pthread_t closer;
    pthread_create(&closer, NULL, close_soon, client);
    enum weir_status status = weir_client_run(client, report_message, NULL);
    pthread_join(closer, NULL);
    tell("run", status);
}

static void close_while_held(weir_client *client) {
    struct weir_client_message message;
    pthread_t closer;
    if (tell("receive", weir_client_receive(client, &message, 30000)) != WEIR_OK)
        return;
    pthread_create(&closer, NULL, close_soon, client);
    pthread_join(closer, NULL);
    report_message(client, &message, NULL);
}

/* --- Actions ------------------------------------------------------------------------------------------------- */

static bool is(const char *argument, const char *name, const char **value) {
    size_t size = strlen(name);
    *value = argument + size;
    return strncmp(argument, name, size) == 0;
}

static void send_binary(weir_client *client, size_t size) {
    unsigned char *bytes = malloc(size + 1);
    fill(bytes, size, 0);
    tell("send", weir_client_send(client, WEIR_BINARY, bytes, size));
    free(bytes);
}

static void close_with(weir_client *client, const char *value) {
    char *rest;
    unsigned code = (unsigned)strtoul(value, &rest, 10);
    tell("closed", close_client(client, code, *rest == ',' ? rest + 1 : NULL));
}

static void act(weir_client *client, const char *action) {
    struct weir_client_message message;
    const char *value;
    char *rest;
    if (is(action, "send=", &value)) {
        tell("send", weir_client_send(client, WEIR_TEXT, value, strlen(value)));
    } else if (is(action, "binary=", &value)) {
        send_binary(client, strtoul(value, NULL, 10));
    } else if (is(action, "ping=", &value)) {
        tell("ping", weir_client_ping(client, value, strlen(value)));
    } else if (is(action, "receive=", &value)) {
        if (tell("receive", weir_client_receive(client, &message, strtol(value, NULL, 10))) == WEIR_OK)
            report_message(client, &message, NULL);
    } else if (is(action, "closed_while_running", &value)) {
        close_while_running(client);
    } else if (is(action, "closed_while_held", &value)) {
        close_while_held(client);
    } else if (is(action, "slowly", &value)) {
        slowly = true;
    } else if (is(action, "run", &value)) {
        tell("run", weir_client_run(client, report_message, NULL));
    } else if (is(action, "close=", &value)) {
        close_with(client, value);
    } else if (is(action, "flood=", &value)) {
        size_t count = strtoul(value, &rest, 10);
        flood_with(client, count, strtoul(rest + 1, NULL, 10));
    } else {
        fprintf(stderr, "client_probe: what is %s?\n", action);
        exit(2);
    }
}

int main(int argc, char **argv) {
    const char *headers[8] = {0}, *subprotocols[8] = {0}, *value;
    size_t header_count = 0, subprotocol_count = 0;
    struct weir_client_options options = {.headers = headers, .subprotocols = subprotocols};
    int at = 2;
    for (; at < argc; at++) {
        if (is(argv[at], "header=", &value))
            headers[header_count++] = value;
        else if (is(argv[at], "subprotocol=", &value))
            subprotocols[subprotocol_count++] = value;
        else if (is(argv[at], "origin=", &value))
            options.origin = value;
        else if (is(argv[at], "source=", &value))
            options.source = value;
        else if (is(argv[at], "connect_timeout=", &value))
            options.connect_timeout_ms = strtoul(value, NULL, 10);
        else if (is(argv[at], "send_timeout=", &value))
            options.send_timeout_ms = strtoul(value, NULL, 10);
        else if (is(argv[at], "close_timeout=", &value))
            options.close_timeout_ms = strtoul(value, NULL, 10);
        else if (is(argv[at], "max_message_size=", &value))
            options.max_message_size = strtoul(value, NULL, 10);
        else if (is(argv[at], "compress", &value))
            options.compress = true;
        else
            break;
    }
    struct weir_client_error error;
    weir_client *client = weir_client_connect(argv[1], &options, &error);
    if (client == NULL)
        return report_error(&error), 1;
    const char *subprotocol = weir_client_subprotocol(client);
    printf("connected to %s, subprotocol %s, %s\n", weir_client_peer(client), subprotocol ? subprotocol : "none",
           weir_client_compressed(client) ? "compressed" : "plain");
    for (; at < argc; at++)
        act(client, argv[at]);
    report_end(client);
    weir_client_destroy(client);
    return 0;
}
