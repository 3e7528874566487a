/* wanderer.c - see wanderer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wanderer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void fail(const char *format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", text);
    fflush(stderr);
    _exit(1);
}

uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void pause_ms(uint64_t milliseconds) {
    nanosleep(&(struct timespec){.tv_sec = (time_t)(milliseconds / 1000),
                                 .tv_nsec = (long)(milliseconds % 1000) * 1000000},
              NULL);
}

void start(pthread_t *thread, void *(*run)(void *), void *context) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    if (pthread_create(thread, &attributes, run, context) != 0)
        fail("no thread");
    pthread_attr_destroy(&attributes);
}

/* --- Chance ------------------------------------------------------------------------------------------------ */

void wanderer_init(struct wanderer *wanderer, unsigned number, uint64_t seed) {
    wanderer->number = number;
    wanderer->random = (seed * UINT64_C(1000003) + number + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

/* xorshift64* */
uint64_t wanderer_choose(struct wanderer *wanderer, uint64_t below) {
    wanderer->random ^= wanderer->random >> 12;
    wanderer->random ^= wanderer->random << 25;
    wanderer->random ^= wanderer->random >> 27;
    return (wanderer->random * UINT64_C(0x2545F4914F6CDD1D) >> 33) % below;
}

/* --- Coming ------------------------------------------------------------------------------------------------ */

void wanderer_come(struct wanderer *wanderer, const char *url, const char *subprotocol) {
    const char *subprotocols[] = {subprotocol, NULL};
    const struct weir_client_options options = {.subprotocols = subprotocol == NULL ? NULL : subprotocols,
                                                .connect_timeout_ms = WANDERER_PATIENCE_MS,
                                                .send_timeout_ms = WANDERER_PATIENCE_MS,
                                                .close_timeout_ms = WANDERER_PATIENCE_MS};
    struct weir_client_error error = {.text = ""};
    for (unsigned tries = 0; tries < 100; tries++) {
        wanderer->client = weir_client_connect(url, &options, &error);
        if (wanderer->client != NULL)
            return;
        if (error.cause != WEIR_CLIENT_LOST && error.http_status != 503)
            break;
        wanderer->refused++;
        pause_ms(50 + wanderer_choose(wanderer, 100));
    }
    fail("client %u does not get in: %s", wanderer->number, error.text);
}

bool wanderer_say(struct wanderer *wanderer, const char *format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return weir_client_send(wanderer->client, WEIR_TEXT, text, (size_t)size) == WEIR_OK;
}

enum weir_status wanderer_hear(struct wanderer *wanderer, long timeout_ms) {
    struct weir_client_message message;
    struct weir_client_error error;
    enum weir_status status = weir_client_receive(wanderer->client, &message, timeout_ms);
    unsigned code = weir_client_close_code(wanderer->client);
    if (status == WEIR_OK) {
        wanderer->take(wanderer, &message);
    } else if (status != WEIR_TIMEOUT && (status != WEIR_CLOSED || code != 1013)) {
        weir_client_failure(wanderer->client, &error);
        fail("client %u lost its connection: %u %s, %s", wanderer->number, code,
             weir_client_close_reason(wanderer->client), error.text);
    }
    return status;
}

/* --- Leaving ----------------------------------------------------------------------------------------------- */

static void listen_to_the_end(struct wanderer *wanderer) {
    struct weir_client_message message;
    weir_client_close(wanderer->client, 1000, "enough");
    while (weir_client_receive(wanderer->client, &message, WANDERER_PATIENCE_MS) == WEIR_OK)
        wanderer->take(wanderer, &message);
    unsigned code = weir_client_close_code(wanderer->client);
    if (code != 1000 && code != 1013)
        fail("client %u closed, and the server answered %u", wanderer->number, code);
}

/* Linux resets a connection whose socket is told to forget its peer. */
static void reset(weir_client *client) {
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (connect(weir_client_descriptor(client), &nobody, sizeof nobody) != 0)
        fail("a connection cannot be reset");
}

void wanderer_leave(struct wanderer *wanderer, enum wanderer_way way) {
    if (way == LEAVE_BY_CLOSE) {
        weir_client_close(wanderer->client, 1000, NULL);
        weir_client_wait_closed(wanderer->client);
    } else if (way == LEAVE_AND_LISTEN)
        listen_to_the_end(wanderer);
    else if (way == LEAVE_BY_RESET)
        reset(wanderer->client);
    weir_client_destroy(wanderer->client);
    wanderer->client = NULL;
    wanderer->left[way]++;
}

/* --- Members ----------------------------------------------------------------------------------------------- */

const char *member(const struct weir_client_message *message, const char *name, size_t *size) {
    char quoted[40];
    int length = snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *found = memmem(message->data, message->size, quoted, (size_t)length);
    if (found == NULL)
        return NULL;
    *size = (size_t)((const char *)message->data + message->size - found) - (size_t)length;
    return found + length;
}

uint64_t member_number(const struct weir_client_message *message, const char *name) {
    size_t size, at = 0;
    uint64_t number = 0;
    const char *text = member(message, name, &size);
    for (; text != NULL && at < size && text[at] >= '0' && text[at] <= '9'; at++)
        number = number * 10 + (uint64_t)(text[at] - '0');
    if (at == 0)
        fail("no number \"%s\" in %.*s", name, (int)message->size, (const char *)message->data);
    return number;
}

bool member_is(const struct weir_client_message *message, const char *name, const char *value) {
    size_t size;
    const char *text = member(message, name, &size);
    return text != NULL && size >= strlen(value) && memcmp(text, value, strlen(value)) == 0;
}
